//! What can go wrong with a call, and what to do about it.
//!
//! # The service's own errors
//!
//! If a method returns a `Result`, its error comes back as that very type, in
//! [`CallError::App`](crate::CallError::App). Every other failure is another variant:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use witrpc::{CallError, wit_service};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! pub enum OrderError {
//!     SoldOut,
//!     AtMost(u32),
//! }
//!
//! #[wit_service]
//! pub trait Shop {
//!     fn order(&self, pieces: u32) -> Result<u64, OrderError>;
//! }
//!
//! struct Kiosk;
//!
//! impl Shop for Kiosk {
//!     fn order(&self, pieces: u32) -> Result<u64, OrderError> {
//!         match pieces {
//!             0..=10 => Ok(1),
//!             11..=100 => Err(OrderError::AtMost(10)),
//!             _ => panic!("no customer orders {pieces}"),
//!         }
//!     }
//! }
//!
//! let shop = ShopClient::in_process(Kiosk);
//! match shop.order(50) {
//!     Err(CallError::App(OrderError::AtMost(pieces))) => assert_eq!(pieces, 10),
//!     other => panic!("{other:?}"),
//! }
//! // A panic ends its call, not the server.
//! assert!(matches!(shop.order(1000), Err(CallError::Panicked { .. })));
//! assert_eq!(shop.order(5), Ok(1));
//! ```
//!
//! The error type needs serde's two derives, like every type that crosses. If it also has `Display`
//! and `Error`, as with `thiserror`, then the `CallError` has them too. Then `?` turns it into
//! `anyhow` or `Box<dyn Error>`.
//!
//! # Errors that clients only report
//!
//! Return a `Result` with [`RemoteError`](crate::RemoteError). `?` turns every error into one: it carries the
//! error's message, those of its sources, and the [`ErrorKind`](std::io::ErrorKind) of an I/O error. A method
//! may also return an `io::Result`, whose error reaches the client as a `RemoteError`. `anyhow::Error` does
//! not implement serde's traits, and no method can return it.
//!
//! ```
//! use std::fs;
//! use witrpc::{RemoteError, wit_service};
//!
//! #[wit_service]
//! pub trait Settings {
//!     fn read(&self, path: &str) -> Result<u32, RemoteError>;
//!     fn write(&self, path: &str, value: u32) -> Result<(), RemoteError>;
//! }
//!
//! struct Files;
//!
//! impl Settings for Files {
//!     fn read(&self, path: &str) -> Result<u32, RemoteError> {
//!         Ok(fs::read_to_string(path)?.trim().parse()?)
//!     }
//!
//!     fn write(&self, path: &str, value: u32) -> Result<(), RemoteError> {
//!         // Of functions that return `anyhow::Error`, or `Box<dyn Error + Send + Sync>`.
//!         store(path, value).map_err(RemoteError::new)
//!     }
//! }
//!
//! # fn store(_: &str, value: u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! #     if value > 100 { Err("at most 100".into()) } else { Ok(()) }
//! # }
//! let settings = SettingsClient::in_process(Files);
//! assert_eq!(settings.write("limit", 101).unwrap_err().to_string(), "at most 100");
//! assert!(settings.read("/no/such/file").is_err());
//! ```
//!
//! # Results under other names
//!
//! A `Result` under another name, such as `type Answer<T> = Result<T, OrderError>`, is found if it takes
//! types or if its name ends in `Result`. For others, such as `type Outcome = Result<u64, OrderError>`,
//! a compile error asks for `#[wit(result)]` on the method, or for `#[wit_service(results)]` on the trait.
//!
//! # Three questions to every error
//!
//! *Which side is at fault?* The variants' names say it, and their messages say what to do. *Can
//! the same call succeed later?* Ask [`is_retryable`](crate::CallError::is_retryable). *May the
//! handler have run?* Ask [`maybe_executed`](crate::CallError::maybe_executed); `false` is certain.
//! A call may be made again if it can succeed, and either has not run or does no harm by running
//! twice:
//!
//! ```
//! use std::time::Duration;
//! use witrpc::{CallError, DisconnectReason};
//!
//! fn again<E>(error: &CallError<E>, idempotent: bool) -> bool {
//!     error.is_retryable() && (idempotent || !error.maybe_executed())
//! }
//!
//! let died: CallError = CallError::PeerDied;
//! assert!(again(&died, true) && !again(&died, false));
//!
//! // Not sent, so safe whatever the method does.
//! let no_lane = CallError::<String>::NoFreeLane { lanes: 64, abandoned: 0 };
//! for error in [no_lane, CallError::NoSpace, CallError::ShuttingDown] {
//!     assert!(again(&error, false), "{error}");
//! }
//!
//! // A retry cannot succeed.
//! assert!(!again(&CallError::App("sold out"), true));
//! assert!(!again(&CallError::<String>::Panicked { message: "oh".into() }, true));
//! assert!(!again(&CallError::<String>::Unauthorized, true));
//! ```
//!
//! # Passing errors on
//!
//! A method without its own `Result` fails with plain `CallError`. With `?` that becomes the error
//! of a method with a `Result`, so one function can call both kinds:
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! use witrpc::{CallError, wit_service};
//!
//! # #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! # pub enum OrderError {
//! #     SoldOut,
//! # }
//! #[wit_service]
//! pub trait Shop {
//!     fn stock(&self) -> u32;
//!     fn order(&self, pieces: u32) -> Result<u64, OrderError>;
//! }
//!
//! fn buy_all(shop: &ShopClient) -> Result<u64, CallError<OrderError>> {
//!     let pieces = shop.stock()?;
//!     shop.order(pieces)
//! }
//! # struct Kiosk;
//! # impl Shop for Kiosk {
//! #     fn stock(&self) -> u32 {
//! #         3
//! #     }
//! #     fn order(&self, pieces: u32) -> Result<u64, OrderError> {
//! #         Ok(pieces.into())
//! #     }
//! # }
//! # assert_eq!(buy_all(&ShopClient::in_process(Kiosk)), Ok(3));
//! ```
//!
//! [`map_app`](crate::CallError::map_app) replaces the service's error by another.
//!
//! # Deaths
//!
//! When a server dies, for whatever reason, all its pending calls end with
//! [`CallError::PeerDied`](crate::CallError::PeerDied). Every later call ends at once with
//! [`CallError::Disconnected`](crate::CallError::Disconnected). Nothing hangs, and no timeout has
//! to pass. In a graceful shutdown the server answers what has arrived. A call that it did not take
//! ends with [`CallError::ShuttingDown`](crate::CallError::ShuttingDown).
//!
//! With `panic = "abort"` a panic is such a death. Keep the default, `unwind`, in programs that
//! serve. A method that takes an `impl Iterator` needs it: see
//! [`BindError::NeedsUnwinding`](crate::BindError::NeedsUnwinding).
//!
//! # Time
//!
//! A call has 30 seconds, unless the client's [`call_timeout`](crate::ClientBuilder::call_timeout)
//! says otherwise, and then ends with [`CallError::TimedOut`](crate::CallError::TimedOut). Such a
//! call may have run, because the server may still be at work. If the server takes no item of an
//! upload in that time, the upload ends with
//! [`CallError::UploadStalled`](crate::CallError::UploadStalled), which says whether its method had
//! begun. A timeout is for a server that is too slow; a client notices a dead server without one.
//!
//! # Starting and connecting
//!
//! [`BindError`](crate::BindError) says why a server did not start, and
//! [`ConnectError`](crate::ConnectError) why a client did not connect. Each message ends with what
//! to do. Both refuse a type that a chosen codec, or each of them, would not give back unchanged, and
//! name the method: see [`Codec`](crate::Codec).
