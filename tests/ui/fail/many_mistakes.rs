use witrpc::wit_service;

use witrpc::WitServer;

#[wit_service(nmae = "calculator")]
pub trait Calculator {
    fn add(a: i64, b: &mut i64) -> i64;
    #[wit(idempotent, once)]
    async fn half(&mut self, (a, b): (i64, i64)) -> Box<dyn ToString>;
    fn third(&self, a: i64) -> Result<i64, String>;
    fn each(&self, of: &'static [i64]) -> impl Iterator<Item = i64>;
    async fn connect(&self, names: Vec<&str>) -> i64 {
        names.len() as i64
    }
}

struct MyCalculator;

impl Calculator for MyCalculator {
    fn add(a: i64, b: &mut i64) -> i64 {
        a + *b
    }
    async fn half(&mut self, (a, b): (i64, i64)) -> Box<dyn ToString> {
        Box::new((a + b) / 2)
    }
    fn third(&self, a: i64) -> Result<i64, String> {
        Ok(a / 3)
    }
    fn each(&self, of: &'static [i64]) -> impl Iterator<Item = i64> {
        of.iter().copied()
    }
}

fn main() {
    let service = CalculatorServer::new(MyCalculator);
    let _server = WitServer::builder().listen("calculator").service(service).start().unwrap();
    let calculator = CalculatorClient::connect("calculator").unwrap();
    let third: i64 = calculator.third(1).unwrap();
    let half = calculator.half((1, 2)).unwrap().to_string();
    let sum: i64 = third + calculator.add(1, 2).unwrap() + half.len() as i64;
    for each in calculator.each(&[sum]) {
        assert_eq!(each.unwrap(), 1);
    }
}

async fn later(calculator: &CalculatorAsyncClient) -> i64 {
    let half = calculator.half((1, 2)).await.unwrap();
    match calculator.third(half).await {
        Ok(third) => third,
        Err(error) => panic!("{error}"),
    }
}
