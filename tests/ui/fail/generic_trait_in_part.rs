use witrpc::wit_service;

#[wit_service(types(Hash = u64))]
trait State<Hash, Number> {
    fn at(&self, block: Hash) -> Number;
}

struct Chain;

impl State<u64, u32> for Chain {
    fn at(&self, block: u64) -> u32 {
        block as u32
    }
}

fn main() {
    let client = StateClient::in_process(Chain);
    assert_eq!(client.at(3), Ok(3));
}
