//! Deadlines, and calls whose caller has stopped waiting.
//!
//! # The caller's side
//!
//! The calls of a client have the client's [`call_timeout`](crate::ClientBuilder::call_timeout), 30
//! s by default. Options for some calls alone go to a view of the client:
//!
//! ```
//! use std::thread;
//! use std::time::Duration;
//! use witrpc::{CallContext, CallError, CallOptions, CancelToken, wit_service};
//!
//! #[wit_service]
//! pub trait Search {
//!     /// The numbers below a limit that are prime and end in seven.
//!     fn sevens(&self, limit: u64, #[wit(ctx)] cx: &CallContext) -> u64;
//! }
//!
//! struct Sieve;
//!
//! impl Search for Sieve {
//!     fn sevens(&self, limit: u64, cx: &CallContext) -> u64 {
//!         let is_prime = |n: u64| (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
//!         (2..limit)
//!             .take_while(|_| !cx.cancelled())
//!             .filter(|n| n % 10 == 7 && is_prime(*n))
//!             .count() as u64
//!     }
//! }
//!
//! let search = SearchClient::in_process(Sieve);
//!
//! // Waits at most this long.
//! let brief = search.with(CallOptions::new().timeout(Duration::from_millis(20)));
//! assert!(matches!(
//!     brief.sevens(u64::MAX),
//!     Err(CallError::TimedOut { .. } | CallError::Expired)
//! ));
//!
//! // Waits until another thread cancels the token.
//! let token = CancelToken::new();
//! let watched = search.with(CallOptions::new().cancelled_by(&token));
//! let searching = thread::spawn(move || watched.sevens(u64::MAX));
//! token.cancel();
//! assert_eq!(searching.join().unwrap(), Err(CallError::Cancelled));
//!
//! // The client itself keeps its own options.
//! assert_eq!(search.sevens(50), Ok(4));
//! ```
//!
//! With an async client, dropping a call's future cancels the call. The same holds for a stream of
//! either client: dropping it ends its producer.
//!
//! A cancelled call counts as one that may have run
//! ([`maybe_executed`](crate::CallError::maybe_executed)). A call whose deadline passed before its
//! handler began did not run: [`CallError::Expired`](crate::CallError::Expired).
//!
//! # The handler's side
//!
//! The server drops an `async fn` that is marked `#[wit(drop_on_disconnect)]` when its client has
//! gone. Nothing else ends a handler from outside. The handler asks, now and then, whether its
//! caller still waits: [`cx.cancelled()`](crate::CallContext::cancelled), as above. That is true in
//! three cases: the caller has cancelled in any way, its deadline has passed, or its process has
//! left or died. The handler then returns early, with any value; no caller reads it. An `async`
//! handler awaits [`cx.until_cancelled()`](crate::CallContext::until_cancelled) beside its work, in
//! `select!` for example.
//!
//! A handler that calls other services passes its own deadline on:
//! `other.with(CallOptions::new().deadline(cx.deadline()))`.
//!
//! An async handler that only waits for the end of its caller learns how long a client stays. The
//! example `chat` keeps its list of guests that way.
