//! The service of the examples: a trait, and the type that implements it.

use std::io::Write;

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, wit_service};

/// Sums, words, and ways to go wrong.
#[wit_service]
pub trait Calculator {
    /// Returns the sum of two numbers.
    fn add(&self, a: i64, b: i64) -> i64;

    /// Returns the quotient, if there is one.
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;

    /// Returns the mean of samples, which cross as raw memory.
    fn mean(&self, samples: &[f64]) -> f64;

    /// Returns the number of words in a text.
    fn count_words(&self, text: &str) -> u64;

    /// Returns the name of a constant.
    async fn name_of(&self, value: f64) -> Option<String>;

    /// Returns the caller's process and user.
    fn whoami(&self, #[wit(ctx)] context: &CallContext) -> (u32, u32);

    /// Panics.
    fn fail(&self);

    /// Says `hanging` on the server's standard output, and never returns.
    fn hang(&self);
}

/// The reason why there is no quotient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum DivideError {
    /// The divisor is zero.
    #[error("nothing can be divided by zero")]
    ByZero,
    /// The quotient does not fit in 64 bits.
    #[error("the quotient does not fit in 64 bits")]
    Overflow,
}

/// The calculator that the examples serve.
#[derive(Debug, Default)]
pub struct Desk;

impl Calculator for Desk {
    fn add(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError> {
        match b {
            0 => Err(DivideError::ByZero),
            _ => a.checked_div(b).ok_or(DivideError::Overflow),
        }
    }

    fn mean(&self, samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }

    fn count_words(&self, text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }

    async fn name_of(&self, value: f64) -> Option<String> {
        let constants = [("pi", std::f64::consts::PI), ("e", std::f64::consts::E)];
        let close = |&(_, constant): &(&str, f64)| (value - constant).abs() < 1e-3;
        constants.into_iter().find(close).map(|(name, _)| name.to_owned())
    }

    fn whoami(&self, context: &CallContext) -> (u32, u32) {
        (context.pid(), context.uid())
    }

    fn fail(&self) {
        panic!("this handler always panics");
    }

    fn hang(&self) {
        let mut out = std::io::stdout();
        // A parent that has stopped reading needs no message.
        let _ = writeln!(out, "hanging").and_then(|()| out.flush());
        loop {
            std::thread::park();
        }
    }
}
