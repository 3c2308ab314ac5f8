//! A method that is conditioned away takes no number and no place in the descriptor.

#![deny(warnings)]

use witrpc::__private::v1::Client;
use witrpc::wit_service;

#[wit_service]
trait Calculator {
    #[cfg(not(all()))]
    fn absent(&self, absent: Absent) -> Absent;
    fn add(&self, a: i64, b: i64) -> i64;
    #[cfg_attr(all(), cfg(any()))]
    async fn absent_too(&self, absent: &[Absent]) -> Outcome;
    #[cfg(all())]
    /// Present, in this form.
    #[cfg_attr(all(), doc = "Whatever the conditions.")]
    fn half(&self, a: i64) -> i64;
    #[cfg(any())]
    fn half(&self, a: Absent) -> Absent;
}

struct MyCalculator;

impl Calculator for MyCalculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
    fn half(&self, a: i64) -> i64 {
        a / 2
    }
}

fn main() {
    let _ = CalculatorServer::new(MyCalculator);
    let _ = |client: CalculatorClient| client.add(1, 2).and(client.half(2));
    let names = CalculatorClient::DESCRIPTOR.methods.iter().map(|method| method.name);
    assert_eq!(names.collect::<Vec<_>>(), ["add", "half"]);
    assert_eq!(CalculatorClient::DESCRIPTOR.methods[1].docs, "Present, in this form.");
}
