//! User code around every call: for audits, limits and measurements.
//!
//! A [`ServerHook`] runs around the handlers of a server, a [`ClientHook`] around the calls of a client.
//! Without a hook, a call costs one comparison more. With one, it costs an allocation, and two clock reads only
//! if the hook asks for durations.

pub mod client;
pub mod server;

pub use crate::error::Rejection;
pub use client::{CallEnd, ClientHook, MadeCall};
pub use server::{ServedCall, ServedEnd, ServerHook};
