use witrpc::wit_service;

#[wit_service]
trait Counter {
    #[wit(local, idempotent)]
    fn count(&mut self) -> u64;
    #[wit(local, event)]
    fn counted(&self, to: u64);
}

fn main() {}
