//! Services in a crate of an older edition that knows witrpc only by another name, and has no other
//! dependency.
//!
//! Being a library, it also shows that all that is generated is documented.

#![deny(warnings, missing_docs, rustdoc::broken_intra_doc_links, unreachable_pub)]
#![forbid(unsafe_code)]

/// Adds and parses.
#[ipc::wit_service(crate = ipc)]
pub trait Calculator {
    /// Adds.
    fn add(&self, a: i64, b: i64) -> i64;
    /// Parses, as [`add`](Self::add) never would.
    async fn parse(&self, text: &str, #[wit(ctx)] cx: &ipc::CallContext) -> Result<f64, String>;
    /// The mean.
    fn mean(&self, samples: &[f64]) -> f64;
}

/// Has a method whose name is no keyword in the edition of this crate.
#[ipc::wit_service(crate = ipc)]
pub trait Random {
    /// A number.
    fn gen(&self) -> u64;
}

/// A client that has a user, so that its type is checked.
pub fn sum(calculator: &CalculatorClient) -> Result<i64, ipc::CallError> {
    calculator.add(1, 2)
}

/// Finds out by itself what witrpc is called here.
#[ipc::wit_service]
pub trait Echo {
    /// Returns the text.
    fn echo(&self, text: &str) -> String;
}
