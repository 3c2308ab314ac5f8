use witrpc::wit_service;

#[wit_service]
trait Words {
    fn count(&self, text: str) -> u64;
    fn sum(&self, samples: [f64]) -> f64;
}

fn main() {}
