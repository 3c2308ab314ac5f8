use witrpc::wit_service;

#[wit_service]
trait Numbers {
    fn primes(&self, limit: u64) -> impl Iterator;
}

fn main() {}
