//! Streams of items, from a method to its client or from a client to a method.
//!
//! The [`client`] pulls what a method returns, and pushes what a method takes. The [`server`] bounds
//! the cost of both. Both keep to the [`protocol`].

pub mod client;
pub mod protocol;
pub mod server;
