use witrpc::wit_service;

#[wit_service]
trait Numbers {
    fn squares(&self, of: impl Iterator<Item = u64>) -> impl Iterator<Item = u64>;
}

fn main() {}
