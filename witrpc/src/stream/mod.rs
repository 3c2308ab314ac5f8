//! Streams: items one after the other, from a method to its client or from a client to a method.
//!
//! The [`client`] pulls what a method returns, and pushes what a method takes; the [`server`] keeps both within
//! bounds.

pub mod client;
pub mod server;
