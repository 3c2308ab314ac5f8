use witrpc::wit_service;

#[wit_service(rename = "calculator")]
trait Calculator {
    #[wit(name = "plus")]
    fn add(&self, a: i64, b: i64) -> i64;
    #[wit(ctx)]
    fn half(&self, #[wit(idempotent)] a: i64) -> i64;
}

fn main() {}
