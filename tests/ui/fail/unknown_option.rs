use witrpc::wit_service;

#[wit_service]
trait Calculator {
    #[wit(idempotant)]
    fn add(&self, a: i64, b: i64) -> i64;
    fn half(&self, #[wit(context)] a: i64) -> i64;
}

fn main() {}
