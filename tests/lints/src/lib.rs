//! Services in a crate that denies what lints there are: `cargo clippy` and `cargo doc` find nothing in
//! what the macro writes.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]
#![deny(rustdoc::all)]
#![forbid(unsafe_code)]
#![allow(clippy::multiple_crate_versions, reason = "it is about the dependencies")]

use std::path::Path;

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, RemoteError, Stream, wit_service};

/// What is for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ware {
    /// Its name.
    pub name: String,
}

/// Sells, and tells of it: see [`sold`](ShopClient::sold).
#[wit_service]
pub trait Shop {
    /// Orders a ware.
    ///
    /// # Errors
    ///
    /// If it is sold out.
    fn order(&self, ware: &Ware, pieces: u32) -> Result<u64, RemoteError>;

    /// Counts what is there, by [`Shop::order`].
    async fn stock(&self, ware: Ware, #[wit(ctx)] cx: &CallContext) -> u32;

    /// Has too many arguments, and says so.
    #[expect(clippy::too_many_arguments, reason = "it has")]
    fn many(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8;

    /// Has a default body.
    fn greeting(&self, name: &str) -> String {
        format!("Welcome, {name}")
    }

    /// Takes a path, bytes and an option.
    fn store(&self, path: &Path, bytes: &[u8], name: Option<String>) -> bool;

    /// Lists the wares.
    fn wares(&self) -> impl Stream<Item = Ware>;

    /// Takes wares.
    fn fill(&self, wares: impl Iterator<Item = Ware>) -> u64;

    /// Something was sold, by [`order`](Self::order).
    #[wit(event)]
    fn sold(&self, ware: Ware, pieces: u32);
}

/// Has a name that lints dislike, and says so.
#[allow(non_camel_case_types, clippy::module_name_repetitions)]
#[wit_service]
pub trait odd_name {
    /// Adds.
    #[allow(non_snake_case)]
    fn Add(&self, A: i64, B: i64) -> i64;

    /// It was added.
    #[wit(event)]
    fn added(&self, sum: i64);
}

/// Has no methods.
#[wit_service]
pub trait Nothing {}
