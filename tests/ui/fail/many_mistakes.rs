use witrpc::wit_service;

#[wit_service]
trait Calculator {
    fn add(a: i64, b: &mut i64) -> &i64;
    #[wit(idempotent, once)]
    fn half(&mut self, _: i64) -> impl Copy;
    fn third(&self, a: i64) -> i64;
}

struct MyCalculator;

fn main() {
    let _ = CalculatorServer::new(MyCalculator);
    let calculator = CalculatorClient::connect("calculator").unwrap();
    let _: i64 = calculator.third(1).unwrap() + calculator.half(1).unwrap();
}
