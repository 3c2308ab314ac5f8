//! What can go wrong with a call, and what to do about it.
//!
//! # The service's own errors
//!
//! A method that returns a `Result` has its error come back as that very type, in
//! [`CallError::App`](crate::CallError::App). All else that can happen is another variant:
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
//!             _ => panic!("nobody orders {pieces}"),
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
//! The error type needs serde's two derives, like every type that crosses. If it also has
//! `Display` and `Error`, as with `thiserror`, then so has the `CallError`, and it goes into
//! `anyhow` or `Box<dyn Error>` with `?`. `std::io::Error` is not serde's: a method that returns
//! `io::Result` is refused, so turn the error into one of your own.
//!
//! A `Result` under another name, such as `type Answer<T> = Result<T, OrderError>`, is not seen by
//! the macro. It asks for `#[wit(result)]` on the method then, by a compile error.
//!
//! # Three questions to every error
//!
//! *Who is at fault?* is what the variants' names say, and their messages say what to do.
//! *Can the same call succeed later?* is [`is_retryable`](crate::CallError::is_retryable).
//! *May the handler have run?* is [`maybe_executed`](crate::CallError::maybe_executed); `false` is
//! certain. A call may be made again if it can succeed, and either has not run or does no harm by
//! running twice:
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
//! // Trying harder does not help.
//! assert!(!again(&CallError::App("sold out"), true));
//! assert!(!again(&CallError::<String>::Panicked { message: "oh".into() }, true));
//! assert!(!again(&CallError::<String>::Unauthorized, true));
//! ```
//!
//! # Passing errors on
//!
//! A method without a `Result` of its own fails with plain `CallError`. It becomes the error of a
//! method that has one by `?`, so one function can call both kinds:
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
//! [`map_app`](crate::CallError::map_app) puts another error in the place of the service's.
//!
//! # Deaths
//!
//! A server that dies, however it dies, ends all calls that were pending with
//! [`CallError::PeerDied`](crate::CallError::PeerDied), and every later one at once with
//! [`CallError::Disconnected`](crate::CallError::Disconnected). Nothing hangs, and no timeout is
//! waited for. A server that is shut down in good order answers what has arrived; what it did not
//! take gets [`CallError::ShuttingDown`](crate::CallError::ShuttingDown).
//!
//! With `panic = "abort"` a panic is such a death. Keep the default, `unwind`, in programs that
//! serve. A method that takes an `impl Iterator` needs it: see
//! [`BindError::NeedsUnwinding`](crate::BindError::NeedsUnwinding).
//!
//! # Time
//!
//! A call has 30 seconds, unless the client's
//! [`call_timeout`](crate::ClientBuilder::call_timeout) says otherwise, and then ends with
//! [`CallError::TimedOut`](crate::CallError::TimedOut). Since the server may still be at work, such
//! a call may have run. An upload of which the server takes no item in that time ends with
//! [`CallError::UploadStalled`](crate::CallError::UploadStalled), which says whether its method had
//! begun. A timeout is for a server that is too slow; it is not needed to notice one
//! that has died.
//!
//! # Starting and connecting
//!
//! [`BindError`](crate::BindError) says why a server did not start, and
//! [`ConnectError`](crate::ConnectError) why a client did not connect; each message ends with what
//! to do. A type that one of the codecs would not give back as it was is refused in both places, by
//! the name of the method: see [`Codec`](crate::Codec).
