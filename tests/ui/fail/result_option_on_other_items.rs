use witrpc::wit_service;

#[wit_service]
trait Files {
    #[wit(result)]
    fn lines(&self, path: &str) -> impl Iterator<Item = String>;
}

fn main() {}
