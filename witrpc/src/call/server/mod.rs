//! The server's side of a call.
//!
//! A service has each request as a [`call`], whose [`arguments`] it decodes; the handler sees its [`context`] and
//! can be told of a [`cancel`]. [`reply`] answers, for an `async fn` from a [`job`], which has a
//! [`pending_reply`] and is [`counted`] for a shutdown. A [`session`] is what the server keeps for each client. A
//! [`call_observer`] goes with each request and notes its end for the counters, for hooks ([`hook_call`]) and in
//! its span.

pub(crate) mod arguments;
pub(crate) mod call;
pub(crate) mod call_observer;
pub(crate) mod cancel;
pub(crate) mod client_job;
pub(crate) mod context;
pub(crate) mod counted;
pub(crate) mod hook_call;
pub(crate) mod job;
pub(crate) mod pending_reply;
pub(crate) mod reply;
pub(crate) mod session;
