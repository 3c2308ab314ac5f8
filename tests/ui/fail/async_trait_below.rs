use async_trait::async_trait;
use witrpc::wit_service;

#[wit_service]
#[async_trait]
trait Calculator {
    async fn add(&self, a: i64, b: i64) -> i64;
}

struct Abacus;

#[async_trait]
impl Calculator for Abacus {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let _ = CalculatorServer::new(Abacus);
}
