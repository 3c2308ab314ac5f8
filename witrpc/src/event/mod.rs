//! Events, from a service to those that subscribe.

pub(crate) mod backlog;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod server;
