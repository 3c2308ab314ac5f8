//! A client of any service by its contract, without its trait (feature `dynamic`).
//!
//! A server tells a client that asks what it serves: the names of its services, and of each the contract,
//! which has the shapes of all arguments, results and errors. That is enough to make the bytes of any codec
//! out of JSON, and JSON out of the bytes: see [`DynamicClient`]. The command `witrpc` is made of it.
//!
//! # How values look in JSON
//!
//! As `serde_json` writes them, with every codec. Beyond that:
//!
//! - Bytes, and memory whose elements are not numbers (a [`Shared`](crate::Shared) of structs), are base64.
//!   Where the service takes bytes, an array of numbers does too.
//! - Over a codec without names, a field or variant whose name is hidden by aliases is called `#0`, `#1` …
//! - An `Option` may be left out. Over JSON and MessagePack, so may a field for which the server's type has a
//!   default: the server tells which.
//! - Integers beyond 64 bits, and floats that are not finite, are errors: JSON does not carry them here.
//! - A part whose form serde does not show, such as an untagged enum, passes as it is over JSON and
//!   MessagePack, and is an error over postcard. Of an internally tagged enum, the tag and the fields that
//!   must be there are known, and the rest passes.
//!
//! Each of these errors names the part: `order.lines[2].count`.
//!
//! A stream of `usize` or `isize` cannot be uploaded: it has the shape of one of `u64` or `i64`, which cross as
//! memory, and the server refuses the items.
//!
//! # What crosses, and which clients learn it
//!
//! A client that names no service is told which there are, before any memory is shared with it. Docs and what
//! is declared of methods (`async`, `idempotent`) cross only if they are asked for. All of it comes after the
//! checks of user and token, so a server with a token tells none of it to a client without.
//!
//! # Examples
//!
//! ```
//! use serde_json::json;
//! use witrpc::dynamic::DynamicClient;
//! use witrpc::{InProcess, WitServer, wit_service};
//!
//! #[wit_service]
//! trait Calculator {
//!     /// Adds two numbers.
//!     fn add(&self, a: u64, b: u64) -> u64;
//! }
//!
//! struct Adder;
//!
//! impl Calculator for Adder {
//!     fn add(&self, a: u64, b: u64) -> u64 {
//!         a + b
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = InProcess::new(); // or a name, for another process
//! let service = CalculatorServer::new(Adder);
//! let _server = WitServer::builder().listen(place.clone()).service(service).start()?;
//!
//! let client = DynamicClient::connect(place)?;
//! assert_eq!(client.services(), ["Calculator"]);
//! assert_eq!(client.call("Calculator", "add", &json!({ "a": 1, "b": 2 }))?, json!(3));
//!
//! let misfit = client.call("Calculator", "add", &json!({ "a": 1, "b": -2 }));
//! assert_eq!(misfit.unwrap_err().to_string(), "`b` is -2, which u64 does not hold");
//!
//! let described = client.describe("Calculator")?;
//! let add = described.signature("add").unwrap();
//! assert_eq!(add, "    /// Adds two numbers.\n    fn add(&self, a: u64, b: u64) -> u64;\n");
//! # Ok(())
//! # }
//! ```

mod bytes;
mod client;
mod datum;
mod description;
mod error;
mod events;
mod fit;
mod memory;
mod message;
mod names;
mod path;
mod read;
mod service;
mod show;
mod signature;
mod stream;
mod upload;

#[cfg(test)]
mod tests;

pub use client::{DynamicClient, DynamicClientBuilder};
pub use description::{MemberKind, NoDescription, ServiceDescription};
pub use error::DynamicError;
pub use events::DynamicEvents;
pub use path::Misfit;
pub use stream::DynamicStream;
