use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, lines: &[String]) -> u64;
}

fn main() {}
