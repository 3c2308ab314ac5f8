use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64;
    fn add(&self, a: i32, b: i32) -> i32;
}

fn main() {}
