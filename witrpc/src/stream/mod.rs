//! Streams of items, from a method to its client or from a client to a method.
//!
//! The [`client`] pulls what a method returns, and pushes what a method takes. The [`server`] bounds
//! the cost of both. Both keep to the [`protocol`]. On either side, the thread that makes items hands plain
//! ones over in a [`run`].

pub mod client;
pub mod protocol;
mod run;
pub mod server;
