//! Code of the user's around every call: for audits, limits and measurements.
//!
//! A [`ServerHook`] stands around the handlers of a server, a [`ClientHook`] around the calls of a
//! client. Without one, a call costs a comparison more; with one, an allocation, and a look at two
//! clocks only if the hook asks for durations.

pub mod client;
pub mod server;

pub use crate::error::Rejection;
pub use client::{CallEnd, ClientHook, MadeCall};
pub use server::{ServedCall, ServedEnd, ServerHook};
