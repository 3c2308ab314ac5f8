//! A trait of plain methods can be a trait object, and one can be served.

#![deny(warnings)]

use std::sync::Arc;

use witrpc::wit_service;

#[wit_service]
trait Calculator: Send + Sync {
    fn add(&self, a: i64, b: i64) -> i64;
    fn mean(&self, samples: &[f64]) -> f64;
}

struct MyCalculator;

impl Calculator for MyCalculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
    fn mean(&self, samples: &[f64]) -> f64 {
        samples[0]
    }
}

fn main() {
    let calculator: Arc<dyn Calculator> = Arc::new(MyCalculator);
    assert_eq!(calculator.add(1, 2), 3);
    let _ = CalculatorServer::from_arc(calculator);
}
