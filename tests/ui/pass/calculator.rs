//! The trait that the documentation shows, with every form of argument and result.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use std::path::Path;

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, CallError, wit_service};

/// Why a division fails.
#[derive(Debug, Serialize, Deserialize)]
pub enum DivideError {
    /// The divisor is zero.
    ByZero,
}

/// Calculates.
#[wit_service]
pub trait Calculator {
    /// Adds.
    fn add(&self, a: i64, b: i64) -> i64;
    /// Divides.
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
    /// Looks up.
    async fn lookup(&self, key: &str) -> Option<String>;
    /// The mean.
    fn mean(&self, samples: &[f64]) -> f64;
    /// The length of a path, and of what it is asked for.
    async fn measure(&self, path: &Path, units: &Option<String>) -> Result<usize, DivideError>;
    /// Returns the caller.
    #[wit(idempotent)]
    fn ping(&self, #[wit(ctx)] cx: &CallContext) -> u64;
    /// Answers nothing.
    fn reset(&self);
}

/// The calculator.
pub struct MyCalculator;

impl Calculator for MyCalculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError> {
        a.checked_div(b).ok_or(DivideError::ByZero)
    }
    async fn lookup(&self, key: &str) -> Option<String> {
        Some(key.to_owned())
    }
    fn mean(&self, samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }
    async fn measure(&self, path: &Path, units: &Option<String>) -> Result<usize, DivideError> {
        Ok(path.as_os_str().len() + units.iter().len())
    }
    fn ping(&self, _cx: &CallContext) -> u64 {
        1
    }
    fn reset(&self) {}
}

fn is_send<T: Send>(value: T) -> T {
    value
}

/// Every call has the type that the documentation promises.
pub fn calls(calc: &CalculatorClient) -> Result<(), CallError<DivideError>> {
    let _: i64 = calc.add(1, 2)?;
    let _: i64 = calc.divide(1, 2)?;
    let _: Option<String> = calc.lookup("key")?;
    let _: f64 = calc.mean(&[1.0])?;
    let _: usize = calc.measure(Path::new("/"), &None)?;
    let _: u64 = calc.ping()?;
    calc.reset()?;
    Ok(())
}

/// The same as futures that are `Send` and borrow.
pub async fn async_calls(calc: &CalculatorAsyncClient) -> Result<(), CallError<DivideError>> {
    let key = String::from("key");
    let _: i64 = is_send(calc.add(1, 2)).await?;
    let _: i64 = is_send(calc.divide(1, 2)).await?;
    let _: Option<String> = is_send(calc.lookup(&key)).await?;
    let _: f64 = is_send(calc.mean(&[1.0])).await?;
    let _: usize = is_send(calc.measure(Path::new("/"), &None)).await?;
    let _: u64 = is_send(calc.ping()).await?;
    is_send(calc.reset()).await?;
    Ok(())
}

fn main() {
    let _ = CalculatorServer::new(MyCalculator);
    let _ = CalculatorServer::from_arc(std::sync::Arc::new(MyCalculator));
    let _ = || CalculatorClient::connect("calculator");
    drop(is_send(CalculatorAsyncClient::connect("calculator")));
    let _ = CalculatorClient::builder("calculator");
}
