use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(&self, a: _, b: Vec<_>) -> i64;
    fn half(&self, a: i64) -> i64;
}

fn main() {}
