//! A call: what its client and its server do.

pub(crate) mod client;
pub(crate) mod server;
