//! The channel under `witrpc`: bytes between two processes of one machine, never methods.

#![deny(missing_docs)]

pub mod arena;
pub mod copy;
mod error;
#[allow(dead_code, reason = "the engines of client and server are written beside it")]
mod fdpass;
#[allow(dead_code, reason = "the engines of client and server are written beside it")]
mod fork;
#[allow(dead_code, reason = "the engines of client and server are written beside it")]
mod memfd;
pub mod release;
#[allow(
    dead_code,
    unused_imports,
    reason = "the engines of client and server are written beside it"
)]
mod rendezvous;
pub mod words;

pub use error::{BindError, ConnectError, DirectoryError, NameError};
pub use rendezvous::{Name, Place};
