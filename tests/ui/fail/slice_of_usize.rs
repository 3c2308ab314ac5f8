use witrpc::wit_service;

#[wit_service]
trait Statistics {
    fn sum(&self, samples: &[usize]) -> u64;
}

fn main() {}
