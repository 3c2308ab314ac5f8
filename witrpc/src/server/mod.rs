//! The server: from a bound name to its orderly end.
//!
//! [`builder`] says what is served and starts it, [`handle`] is what the user keeps. [`admission`] lets clients
//! in, where a session begins with its [`client_parts`]; [`sessions`] lists those that are connected. [`dispatch`]
//! brings each request to its service, or by [`control`] to the client's streams and events. At the end,
//! [`farewell`] is what is left to do. [`metrics`] says what a server has done.
//!
//! How a request becomes a call stands in [`call::server`](crate::call::server), the threads in
//! [`pool`](crate::pool).

pub(crate) mod admission;
pub(crate) mod builder;
pub(crate) mod client_parts;
pub(crate) mod control;
pub(crate) mod dispatch;
pub(crate) mod farewell;
pub(crate) mod handle;
pub(crate) mod metrics;
pub(crate) mod sessions;

#[cfg(test)]
pub(crate) mod tests;
