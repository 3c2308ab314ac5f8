use witrpc::wit_service;

macro_rules! more_methods {
    () => {
        fn half(&self, a: i64) -> i64;
    };
}

#[wit_service]
trait Calculator {
    const ZERO: i64;
    type Number;
    more_methods!();
    fn add(&self, a: i64, b: i64) -> i64;
}

struct MyCalculator;

impl Calculator for MyCalculator {
    const ZERO: i64 = 0;
    type Number = i64;
    fn half(&self, a: i64) -> i64 {
        a / 2
    }
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let _ = CalculatorServer::new(MyCalculator);
}
