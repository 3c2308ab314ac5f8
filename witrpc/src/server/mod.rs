//! The server: from a bound name to its orderly end.
//!
//! [`builder`] configures a server and starts it; [`handle`] is what the user keeps. [`admission`] lets clients
//! in, where a session begins with its [`client_parts`]. [`sessions`] lists the connected clients. [`dispatch`]
//! brings each request to its service, or through [`control`] to the client's streams and events. [`farewell`]
//! does the work for clients that have gone, on a thread of its own; [`user_code`] names it. [`end`] ends a
//! server. [`several_ports`] joins its endpoints. [`metrics`] counts what a server does, [`metered`] by method.
//!
//! [`call::server`](crate::call::server) turns a request into a call, and [`pool`](crate::pool) has the
//! threads.

pub mod admission;
pub mod builder;
pub mod client_parts;
pub mod control;
pub mod dispatch;
pub mod end;
pub mod farewell;
pub mod handle;
pub mod metered;
pub mod metrics;
mod service_codecs;
pub mod sessions;
mod several_ports;
pub mod user_code;

#[cfg(test)]
pub mod tests;
