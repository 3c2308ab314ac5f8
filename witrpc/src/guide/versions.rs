//! Programs of different versions, and what may change between them.
//!
//! Two programs are seldom replaced in one moment. So client and server compare their contracts
//! when they connect: methods, arguments, results, and every type in them, as serde shows it, field
//! by field. A method or event that differs is refused when it is called or subscribed to, and all
//! others work. The error is
//! [`CallError::ContractMismatch`](crate::CallError::ContractMismatch), which names the place
//! (``divide: argument `b` is i64 here and i32 there``). It is never a wrong value.
//! [`Connection::differences`](crate::Connection::differences) lists all differences right after
//! connecting. A client that is to have none sets [`strict`](crate::ClientBuilder::strict), and does
//! not connect then.
//! Two programs built from one trait only compare a number.
//!
//! # What may change
//!
//! - A method may be added. Older clients do not know it. A newer client that calls it at an older
//!   server gets an error that says so, and all its other calls work:
//!
//! ```
//! use witrpc::{CallError, Mmf, WitServer};
//!
//! mod yesterday {
//!     #[witrpc::wit_service]
//!     pub trait Scale {
//!         fn weigh(&self, parcel: u64) -> u32;
//!     }
//! }
//!
//! mod today {
//!     #[witrpc::wit_service]
//!     pub trait Scale {
//!         fn weigh(&self, parcel: u64) -> u32;
//!         fn weigh_all(&self, parcels: Vec<u64>) -> u32;
//!     }
//! }
//!
//! struct Balance;
//!
//! impl yesterday::Scale for Balance {
//!     fn weigh(&self, parcel: u64) -> u32 {
//!         (parcel % 1000) as u32
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Mmf::unguessable();
//! let service = yesterday::ScaleServer::new(Balance);
//! let server = WitServer::builder().listen(place.clone()).service(service).start()?;
//!
//! let scale = today::ScaleClient::connect(place)?;
//! assert_eq!(scale.weigh(7042)?, 42);
//! let unknown = scale.weigh_all(vec![1, 2]);
//! assert!(matches!(unknown, Err(CallError::UnknownMethod { method: "weigh_all" })));
//! # Ok(())
//! # }
//! ```
//!
//! - A method that is added with a default body in the trait needs no change of the types that
//!   implement it.
//! - An argument cannot be added, renamed or removed. Add a method instead, and let the old method
//!   call it.
//! - An enum may gain variants if the side that knows them only reads it; with postcard they must
//!   come after all others.
//! - A struct may gain and lose fields over JSON and MessagePack, if they are `Option`s or have a
//!   `#[serde(default)]`. A side that denies unknown fields is sent none. The fields of a struct
//!   cannot change over postcard.
//! - Rust's own names of types and methods may change freely: only the names of fields and
//!   variants, and their contents, count. `#[wit(rename = "..")]` keeps a method's name on the
//!   wire, `#[wit_service(name = "..")]` the service's.
//!
//! [`Connection`](crate::Connection#contracts) has all of these rules.
//!
//! # Types that check their values
//!
//! To compare a type, each side must see all of it. It looks before the server starts and before
//! the client connects. It has the type deserialize made-up values, and notes what the type asks
//! for. So a `Deserialize` should have no side effects. Each type is traced once a process and codec,
//! in at most 5,000 runs; if versions differ by fields, once more. A panic in it is caught and counts
//! as an error; the panic hook runs as for any other. Nothing interrupts a `Deserialize` that never
//! returns.
//!
//! A field whose `Deserialize` has side effects is left out by
//! `#[serde(deserialize_with = "witrpc::unseen")]`: see [`unseen`](crate::unseen). With
//! `panic = "abort"` nothing can be caught, and a panic ends the process when the server starts. So a
//! `Deserialize` that may panic on values that it does not expect needs that attribute.
//!
//! A type that checks its values accepts few of them, such as 40 digits in hex. So each side tries
//! many. It tries texts of the usual types, and the numbers and words in the type's errors, as in
//! "expected an array of length 5". It asks last for fields that accept none of these, so that it
//! sees all others.
//!
//! If a part stays unknown, add a sample with [`register_sample`](crate::register_sample). Without
//! one such a type is served over the codecs with names, where a value of another type is an error of its call. It
//! is not served over postcard, whose bytes do not say what they are, unless [both sides allow
//! it](crate::WitServerBuilder::allow_unverified_types).
