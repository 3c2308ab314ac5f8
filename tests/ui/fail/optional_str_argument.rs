use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, text: Option<&str>) -> u64;
}

fn main() {}
