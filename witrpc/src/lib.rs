//! Typed services between the programs of one machine, over named shared memory.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod client;
mod codec;
mod contract;
mod error;
mod handshake;
mod server;
mod tag;
pub mod transport;
mod wait;

#[doc(hidden)]
pub mod __private;

pub use client::{ClientBuilder, Connection};
pub use codec::Codec;
pub use error::{BindError, CallError, ConnectError, Direction, NoAppError};
pub use server::{CallContext, ServerHandle, Shutdown, WitServer, WitServerBuilder};
pub use transport::in_process::InProcess;
pub use transport::mmf::Mmf;
pub use transport::{ClientInfo, DisconnectReason, Endpoint};
pub use wait::WaitPolicy;
pub use witrpc_macros::wit_service;
