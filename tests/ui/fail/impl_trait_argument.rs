use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, text: impl AsRef<str>) -> u64;
}

fn main() {}
