use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, words: Vec<&str>) -> u64;
    fn longest(&self, words: &[&str]) -> u64;
    fn first(&self, words: Option<Option<&str>>) -> u64;
    fn last(&self, words: Option<&mut String>) -> u64;
}

fn main() {}
