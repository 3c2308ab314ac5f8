//! Generated code takes nothing from the prelude, nor from what stands beside the trait.

#![no_implicit_prelude]
#![deny(warnings)]

/// Named like what generated code needs, and something else altogether.
#[allow(dead_code)]
mod distractions {
    pub(crate) struct Option;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) struct Send;
    pub(crate) struct Into;
    pub(crate) struct Clone;
    pub(crate) struct Debug;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Arc;
}

#[allow(unused_imports)]
use distractions::*;

#[::witrpc::wit_service]
trait Calculator {
    fn add(&self, a: i64, b: i64) -> i64;
    fn divide(&self, a: i64, b: i64) -> ::core::result::Result<i64, ::std::string::String>;
    async fn lookup(&self, key: &str, samples: &[f64]) -> ::std::string::String;
    fn open(&self, path: &::std::path::Path, #[wit(ctx)] cx: &::witrpc::CallContext);
}

fn main() {
    let _ = |calculator: CalculatorClient| calculator.add(1, 2);
}
