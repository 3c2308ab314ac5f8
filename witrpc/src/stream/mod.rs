//! Streams, of items to the client and to the server.

pub(crate) mod client;
pub(crate) mod server;
