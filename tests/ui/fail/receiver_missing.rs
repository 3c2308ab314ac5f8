use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(a: i64, b: i64) -> i64;
}

struct MyCalculator;

impl Calculator for MyCalculator {
    fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let _ = CalculatorServer::new(MyCalculator);
    let calculator = CalculatorClient::connect("calculator").unwrap();
    let _: i64 = calculator.add(1, 2).unwrap();
}
