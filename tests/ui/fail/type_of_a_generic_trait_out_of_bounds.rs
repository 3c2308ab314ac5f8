use witrpc::wit_service;

#[wit_service(types(Hash = f64))]
trait State<Hash: Ord> {
    fn at(&self, block: Hash) -> u64;
}

fn main() {}
