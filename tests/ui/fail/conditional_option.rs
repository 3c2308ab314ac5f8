use witrpc::wit_service;

#[wit_service]
trait Calculator {
    #[cfg_attr(unix, wit(idempotent))]
    fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}
