use witrpc::wit_service;

#[wit_service]
trait Health {
    fn check(&self) -> bool;
}

#[wit_service(extends(Health))]
trait Agent: Health {
    fn as_health(&self) -> u64;
}

fn main() {}
