use witrpc::wit_service;

#[wit_service]
trait Phone {
    fn connect(&self, number: u64) -> bool;
    fn with(&self, number: u64) -> bool;
}

fn main() {}
