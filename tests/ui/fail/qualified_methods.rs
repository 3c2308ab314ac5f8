use witrpc::wit_service;

#[wit_service]
trait Calculator {
    const fn add(&self, a: i64, b: i64) -> i64;
    unsafe fn half(&self, a: i64) -> i64;
    extern "C" fn third(&self, a: i64) -> i64;
}

fn main() {}
