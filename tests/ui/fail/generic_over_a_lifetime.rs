use witrpc::wit_service;

#[wit_service]
trait Lines<'a> {
    fn first(&self, text: &'a str) -> u64;
}

fn main() {}
