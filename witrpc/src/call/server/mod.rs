//! The server's side of a call.
//!
//! A service receives each request as a [`call`] and decodes its [`arguments`]; a future answers a
//! [`method_call`]. The handler sees its [`context`] and may ask for a [`cancel`]. [`reply`] sends the
//! answer. For an `async fn` a [`job`] does so: it has a [`pending_reply`] and is [`counted`] for a
//! shutdown. A [`session`] is what the server keeps for each client. A [`call_observer`] records the end
//! of each request for the counters, for hooks ([`hook_call`]) and in its span.
//! [`test_context`] creates the context of a call that no client makes.

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
pub mod test_context;
