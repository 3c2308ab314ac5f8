//! The first program of the README.

#![forbid(unsafe_code)]

use witrpc::{WitServer, wit_service};

#[wit_service]
trait Calculator {
    fn divide(&self, a: i64, b: i64) -> Result<i64, String>;
}

struct Abacus;

impl Calculator for Abacus {
    fn divide(&self, a: i64, b: i64) -> Result<i64, String> {
        a.checked_div(b).ok_or_else(|| format!("{a} / {b} has no result"))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = CalculatorServer::new(Abacus);
    let _server = WitServer::builder().listen("calculator").service(service).start()?;
    // Any process of the same user: the name is all that it needs.
    let calculator = CalculatorClient::connect("calculator")?;
    println!("{:?}, {:?}", calculator.divide(84, 2), calculator.divide(1, 0));
    Ok(())
}
