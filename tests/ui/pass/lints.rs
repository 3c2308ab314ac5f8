//! Names and attributes that lints dislike are the user's business where the trait stands, and
//! are not brought up again by generated code.

#![deny(warnings, clippy::all)]

use std::cell::Cell;

use witrpc::__private::v1::Client;

#[allow(non_camel_case_types, non_snake_case)]
#[witrpc::wit_service]
trait odd_names {
    fn Add(&self, A: i64, B: i64) -> i64;
    async fn AddLater(&self, A: &str) -> i64;
}

#[witrpc::wit_service]
trait Calculator {
    #[doc = concat!("Old ", "and tired.")]
    #[deprecated = "use `add`"]
    fn sum(&self, a: i64) -> i64;
    #[must_use]
    fn add(&self, not_sync: Cell<u8>) -> Cell<u8>;
    /// Documented.
    ///
    /// In paragraphs.
    async fn later(&self, not_sync: Cell<u8>) -> Cell<u8>;
    #[allow(clippy::too_many_arguments)]
    fn many(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> ();
}

#[witrpc::wit_service]
trait Nothing {}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    let _ = |client: odd_namesClient| client.Add(1, 2);
    let _ = |client: CalculatorAsyncClient| async move { is_send(client.later(Cell::new(1))).await };
    let _ = |client: NothingClient| client.connection().is_connected();
    let docs = CalculatorClient::DESCRIPTOR.methods.iter().map(|method| method.docs);
    let expected = ["Old and tired.", "", "Documented.\n\nIn paragraphs.", ""];
    assert_eq!(docs.collect::<Vec<_>>(), expected);
}
