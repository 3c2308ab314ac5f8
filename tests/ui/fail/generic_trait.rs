use witrpc::wit_service;

#[wit_service]
trait Calculator<T> {
    fn add(&self, a: T, b: T) -> T;
}

struct MyCalculator;

impl Calculator<i64> for MyCalculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let calculator = CalculatorClient::in_process(MyCalculator);
    let _: i64 = calculator.add(1, 2).unwrap();
}
