//! Events: a service emits, and every client that has subscribed receives.
//!
//! The [`server`] queues them for each client, in a [`backlog`] with a bound; the [`client`] pulls several in one
//! answer, in the form of [`delivery`].

pub mod backlog;
pub mod client;
pub mod delivery;
pub mod server;
