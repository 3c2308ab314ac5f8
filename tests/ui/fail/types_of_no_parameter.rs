use witrpc::wit_service;

#[wit_service(types(Hash = u64, Number = u32))]
trait State<Hash> {
    fn at(&self, block: Hash) -> u64;
}

fn main() {}
