use witrpc::wit_service;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>>;
}

fn main() {}
