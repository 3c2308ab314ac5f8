use witrpc::wit_service;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> anyhow::Result<u64>;
}

fn main() {}
