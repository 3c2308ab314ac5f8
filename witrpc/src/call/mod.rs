//! A call: a request that is answered once.
//!
//! The [`client`] encodes arguments, sends them and waits; the [`server`] decodes them, runs the handler and
//! answers.

pub mod client;
pub mod server;
