use witrpc::wit_service;

#[wit_service]
trait Health {
    fn check(&self) -> bool;
}

#[wit_service(extends(Health))]
trait Agent {
    fn run(&self, command: &str) -> u64;
}

fn main() {}
