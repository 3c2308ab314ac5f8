use witrpc::wit_service;

#[wit_service]
trait Numbers {
    fn primes(&self, limit: u64) -> Option<impl Iterator<Item = u64>>;
}

fn main() {}
