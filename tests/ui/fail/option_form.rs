use witrpc::wit_service;

#[wit_service(crate = "witrpc")]
trait Calculator {
    #[wit(idempotent = true)]
    fn add(&self, a: i64, b: i64) -> i64;
    #[wit(rename)]
    fn half(&self, a: i64) -> i64;
    #[wit(rename = "")]
    fn third(&self, a: i64) -> i64;
    #[wit]
    fn quarter(&self, a: i64) -> i64;
}

fn main() {}
