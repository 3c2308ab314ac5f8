use witrpc::wit_service;

#[wit_service]
trait Words {
    fn words(&self, text: &str) -> impl Iterator<Item = &str>;
}

fn main() {}
