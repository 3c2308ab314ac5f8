use witrpc::wit_service;

#[wit_service]
trait Files {
    #[wit(result)]
    fn len(&self, name: &str) -> u64;
}

fn main() {}
