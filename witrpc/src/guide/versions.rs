//! Programs of different versions, and what may change between them.
//!
//! Two programs are seldom replaced in one moment. So client and server compare, when they connect,
//! what they take the service to be: its methods, their arguments and results, and every type in
//! them, as serde shows it, field by field. What does not fit is an error there,
//! [`ConnectError::ContractMismatch`](crate::ConnectError::ContractMismatch), which names the place
//! (``divide: argument `b` is i64 here and i32 there``), and not a wrong value at some later call.
//! Two programs built from one trait only compare a number.
//!
//! # What may change
//!
//! - A method may be added. Older clients do not know it; a newer client learns from its error that
//!   an older server does not, and all its other calls work:
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
//! - An argument cannot be added, renamed or removed. Add a method instead, and let the old one call
//!   it.
//! - An enum may gain variants if the side that knows them only reads it; with postcard after all
//!   others.
//! - A struct may gain fields over JSON, if these are `Option`s, and none over postcard.
//! - Rust's own names of types and methods may change freely: what counts are the names of fields and
//!   variants, and what is in them. `#[wit(rename = "..")]` keeps a method's name on the wire,
//!   `#[wit_service(name = "..")]` the service's.
//!
//! [`Connection`](crate::Connection#contracts) has these rules whole.
//!
//! # Types that check their values
//!
//! To compare a type, each side must see all of it. It does so before the server starts and before
//! the client connects: it has the type deserialize values that are made up, and notes what the type
//! asks for. So a `Deserialize` should have no side effects. It runs some times a process and codec,
//! at most 5,000; a panic in it counts as an error. A `Deserialize` that never returns is never
//! given up.
//!
//! A type that checks its values takes few of them, such as 40 digits in hex. Many are tried: texts
//! of the usual types, and the numbers and words that the type's errors speak of, as in "expected an
//! array of length 5". Fields that take none are asked for last, so that all others are seen.
//!
//! A part that stays unknown is mended by [`register_sample`](crate::register_sample). Otherwise
//! such a type is served over JSON, where a value of another type is an error of its call. It is not
//! served over postcard, whose bytes do not tell what they are, unless
//! [both sides allow it](crate::WitServerBuilder::allow_unverified_types).
