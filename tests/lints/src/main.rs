//! A service that is private to a program, whose documentation shows private items too.

#![deny(warnings, missing_docs, clippy::all, clippy::pedantic, clippy::nursery, rustdoc::all)]
#![deny(clippy::missing_docs_in_private_items)]

use witrpc::wit_service;

/// Adds, and tells of it.
#[wit_service]
trait Calculator {
    /// Adds.
    fn add(&self, a: i64, b: i64) -> i64;

    /// The last sum, of [`add`](Self::add).
    #[wit(event)]
    fn added(&self, sum: i64);
}

/// Adds.
struct Abacus(CalculatorEvents);

impl Calculator for Abacus {
    fn add(&self, a: i64, b: i64) -> i64 {
        let _ = self.0.added(a + b);
        a + b
    }
}

fn main() {
    let server = CalculatorServer::with_events(Abacus);
    drop(server);
}
