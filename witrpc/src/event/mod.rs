//! Events: a service emits, and every client that has subscribed receives (fan-out).
//!
//! The [`server`] queues events for each client in a bounded [`backlog`]. The [`client`] pulls several
//! in one answer, in the form of [`delivery`].

pub mod backlog;
pub mod client;
pub mod delivery;
pub mod server;
