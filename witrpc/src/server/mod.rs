//! The server: from a bound name to its orderly end.
//!
//! [`builder`] says what is served and starts it, [`handle`] is what the user keeps. [`admission`] lets clients
//! in, where a session begins with its [`client_parts`]; [`sessions`] lists those that are connected. [`dispatch`]
//! brings each request to its service, or by [`control`] to the client's streams and events. What
//! clients that have gone leave behind is done by [`farewell`], on a thread of its own; [`user_code`] names
//! it. [`end`] ends a server. [`metrics`] says what a server has done.
//!
//! How a request becomes a call stands in [`call::server`](crate::call::server), the threads in
//! [`pool`](crate::pool).

pub mod admission;
pub mod builder;
pub mod client_parts;
pub mod control;
pub mod dispatch;
pub mod end;
pub mod farewell;
pub mod handle;
pub mod metrics;
pub mod sessions;
pub mod user_code;

#[cfg(test)]
pub mod tests;
