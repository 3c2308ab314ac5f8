use witrpc::wit_service;

#[wit_service]
trait Calculator {
    #[wit(idempotent)]
    #[wit(idempotent)]
    fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
