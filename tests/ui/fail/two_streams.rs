use witrpc::wit_service;

#[wit_service]
trait Numbers {
    fn merge(&self, a: impl Iterator<Item = u64>, b: impl Iterator<Item = u64>) -> u64;
}

fn main() {}
