use witrpc::wit_service;

struct Digest;

#[wit_service(types(Hash = Digest))]
trait State<Hash> {
    fn at(&self, block: Hash) -> u64;
}

fn main() {}
