use witrpc::wit_service;

#[wit_service]
trait Words {
    fn longest<'a>(&self, one: &'a str, other: &'a str) -> u64;
}

fn main() {}
