//! The server's side of a call.
//!
//! A service has each request as a [`call`], whose [`arguments`] it decodes, and answers one by a future as a
//! [`method_call`]; the handler sees its [`context`] and
//! can be told of a [`cancel`]. [`reply`] answers, for an `async fn` from a [`job`], which has a
//! [`pending_reply`] and is [`counted`] for a shutdown. A [`session`] is what the server keeps for each client. A
//! [`call_observer`] goes with each request and notes its end for the counters, for hooks ([`hook_call`]) and in
//! its span.

pub mod arguments;
pub mod call;
pub mod call_observer;
pub mod cancel;
pub mod client_job;
pub mod context;
pub mod counted;
pub mod hook_call;
pub mod job;
pub mod method_call;
pub mod pending_reply;
pub mod reply;
pub mod session;
