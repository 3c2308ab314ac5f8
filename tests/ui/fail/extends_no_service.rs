use witrpc::wit_service;

trait Health {
    fn check(&self) -> bool;
}

#[wit_service(extends(Health))]
trait Agent: Health {
    fn run(&self, command: &str) -> u64;
}

fn main() {}
