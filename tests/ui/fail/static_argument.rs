use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, text: &'static str) -> u64;
}

fn main() {}
