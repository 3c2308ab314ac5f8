use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add<T>(&self, a: T, b: T) -> i64;
    fn size<const N: usize>(&self, of: [u8; N]) -> u64;
}

fn main() {}
