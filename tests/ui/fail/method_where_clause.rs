use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, text: &str) -> u64
    where
        Self: Sized;
}

fn main() {}
