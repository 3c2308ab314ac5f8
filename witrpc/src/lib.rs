//! Typed services between the programs of one machine, over named shared memory.
//!
//! Write a trait, put [`#[wit_service]`](macro@wit_service) on it, and get a server and typed clients, blocking
//! and async. The two processes meet under a name. Calls then cross through shared memory without a system
//! call, and cost a fraction of a microsecond instead of the tens that a socket takes.
//!
//! - **A call is a method call.** Arguments and results are your own types. A method's own error comes back as
//!   that type in [`CallError::App`]. Any other error is a variant that names the side at fault. It also says
//!   whether to try again ([`CallError::is_retryable`]) and whether the handler may have run
//!   ([`CallError::maybe_executed`]).
//! - **A crash is an error.** When the server dies, pending calls end with [`CallError::PeerDied`]. When a
//!   handler panics, its caller gets [`CallError::Panicked`] and the server goes on. When a client dies,
//!   everything it held is free for the next client.
//! - **No runtime.** A server runs on threads of its own, a blocking client on yours, and the
//!   futures of an async client on any executor.
//! - **No `unsafe`** in this crate or in what the macro writes.
//!
//! # Examples
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use witrpc::{CallError, wit_service};
//!
//! #[wit_service]
//! pub trait Calculator {
//!     fn add(&self, a: i64, b: i64) -> i64;
//!     fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
//!     fn mean(&self, samples: &[f64]) -> f64;
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! pub enum DivideError {
//!     ByZero,
//! }
//!
//! struct Abacus;
//!
//! impl Calculator for Abacus {
//!     fn add(&self, a: i64, b: i64) -> i64 {
//!         a + b
//!     }
//!
//!     fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError> {
//!         a.checked_div(b).ok_or(DivideError::ByZero)
//!     }
//!
//!     fn mean(&self, samples: &[f64]) -> f64 {
//!         samples.iter().sum::<f64>() / samples.len() as f64
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Both ends in this process. Across two, the server's one says
//! // `WitServer::builder().listen("calc").service(CalculatorServer::new(Abacus)).start()?`,
//! // the client's `CalculatorClient::connect("calc")?`, and nothing else changes.
//! let calculator = CalculatorClient::in_process(Abacus);
//!
//! assert_eq!(calculator.add(1, 2)?, 3);
//! assert_eq!(calculator.mean(&[1.0, 2.0, 6.0])?, 3.0);
//! assert_eq!(calculator.divide(1, 0), Err(CallError::App(DivideError::ByZero)));
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - how to build with it, chapter by chapter: [`guide`];
//! - whole programs for common tasks: the [cookbook]; help by symptom: [questions and troubleshooting][faq];
//! - a trait's options and what is made of it: [`wit_service`](macro@wit_service);
//! - the place of a server: [`Endpoint`], made from a name, an [`Mmf`] with limits, or an [`InProcess`];
//! - how a client connects: [`ClientBuilder`]; the resulting connection: [`Connection`]; options for some of
//!   its calls: [`CallOptions`], [`CancelToken`];
//! - what can go wrong: [`BindError`], [`ConnectError`], [`CallError`];
//! - how values become bytes: [`Codec`]; how threads wait: [`WaitPolicy`];
//! - the interface for other transports: [`transport`]; a kit for those that move messages, such as over
//!   sockets: [`queue`].
//!
//! [cookbook]: https://github.com/witrpc/witrpc-rs/blob/main/docs/cookbook/README.md
//! [faq]: https://github.com/witrpc/witrpc-rs/blob/main/docs/faq.md
//!
//! # Features
//!
//! - `dynamic`: a client without the service's trait, in the module `dynamic`.
//! - `json` (on by default): [`Codec::Json`] beside [`Codec::Postcard`].
//! - `messagepack` (on by default): [`Codec::MessagePack`] beside these.
//! - `mmf` (on by default): named shared memory, [`Mmf`]. It needs 64-bit Linux. Without it there are `Socket`,
//!   [`InProcess`] and transports of your own.
//! - `portable`: `Backend::Portable` beside [`Backend::Native`], for programs that trust each other. Choosing
//!   it takes a [`TrustedPeer`].
//! - `security` (on by default): access tokens and encryption. Without it, a connection requires nothing but the
//!   same user.
//! - `socket`: `Socket`, a transport over Unix sockets for places that forbid shared memory.
//! - `tracing`: spans of the crate of that name around calls, on both sides: see
//!   [`guide::observing`].
//! - `worker` (on by default): worker processes, in the module [`worker`]. Turns `mmf` and `security` on.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start threads as they like"))]

#[cfg(all(feature = "socket", not(target_os = "linux")))]
compile_error!(
    "so far the feature `socket` of witrpc is for Linux: turn off the feature, and use `InProcess` or a transport of \
     your own"
);

mod backoff;
mod codec;
mod contract;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod error;
pub mod guide;
mod method;
mod rt;
mod security;
mod server;
mod tag;
pub mod transport;
#[cfg(feature = "worker")]
pub mod worker;

#[doc(hidden)]
pub mod __private;
mod call;
mod connection;
mod endpoint;
mod event;
mod observe;
mod pool;
pub mod queue;
mod share;
mod stream;

pub use crate::backoff::Backoff;
pub use crate::call::client::options::CallOptions;
pub use crate::call::server::cancel::UntilCancelled;
pub use crate::call::server::context::CallContext;
pub use crate::connection::builder::{Async, Blocking, ClientBuilder};
pub use crate::connection::handle::Connection;
pub use crate::connection::reconnect::{ConnectionState, Reconnect};
pub use crate::contract::{SampleError, register_sample, unseen};
pub use crate::endpoint::in_process::InProcess;
#[cfg(feature = "mmf")]
pub use crate::endpoint::mmf::{Backend, Mmf, forbid_inspection, metrics, servers};
#[cfg(all(feature = "dynamic", feature = "mmf"))]
pub use crate::endpoint::mmf::{ServerInfo, dead_servers, remove_dead_servers, servers_in};
#[cfg(feature = "socket")]
pub use crate::endpoint::socket::Socket;
pub use crate::error::{
    AllocError, BindError, CallError, Codec, ConnectError, ContractDifference, Direction,
    EmitError, EventError, LeftBehindLimit, NoAppError, RemoteError, StreamLimit, UploadStage,
};
#[cfg(feature = "worker")]
pub use crate::error::{ServeError, WorkerError};
pub use crate::event::client::asynchronous::EventStream;
pub use crate::event::client::blocking::Events;
pub use crate::event::client::guard::EventGuard;
pub use crate::observe::hooks::{
    CallEnd, ClientHook, MadeCall, Rejection, ServedCall, ServedEnd, ServerHook,
};
pub use crate::observe::method_meter::{LatencyHistogram, MethodMetrics};
pub use crate::pool::running::RunningMethod;
pub use crate::pool::stop_reason::StopReason;
pub use crate::rt::cancel_token::CancelToken;
pub use crate::rt::restore_signal_mask;
#[cfg(feature = "security")]
pub use crate::security::{AccessToken, AccessTokens, TokenError};
pub use crate::server::builder::WitServerBuilder;
pub use crate::server::handle::{ServerHandle, WitServer};
pub use crate::server::metrics::Metrics;
pub use crate::share::{Chunks, Iter, Shareable, Shared, SharedMut};
pub use crate::stream::client::asynchronous::AsyncStream;
pub use crate::stream::client::blocking::BlockingStream;
pub use crate::transport::Endpoint;
#[cfg(feature = "worker")]
pub use crate::worker::{Worker, WorkerBuilder, WorkerExit, WorkerHandle, WorkerState};
pub use futures_core::Stream;
pub use witrpc_macros::wit_service;
pub use witrpc_transport::{
    ClientInfo, ClientOrigin, DisconnectReason, NameChange, ResourceError, Shutdown, TrustedPeer,
    WaitPolicy,
};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
