//! The kit for transports that move messages instead of sharing memory.
//!
//! A [`Transport`](crate::transport::Transport) brings two things of its own: how clients are met, and how
//! a message gets across. All else that client and server expect of one is here: calls in flight by
//! ticket, waiting with limits (as a thread or as a task), lanes that one caller keeps, fair turns of the
//! clients, calls that are given up, and the stages in which a server ends.
//!
//! - `bind` makes a [`ServerQueue`] and returns it. For each client, the transport calls
//!   [`ServerQueue::connect`] with an [`AnswerSink`], and puts what the client sends into the
//!   [`ConnectionHandle`].
//! - `connect` says hello, waits for the welcome, makes a [`ClientQueue`] with a [`RequestSink`] and returns
//!   it. What the server sends goes into the [`AnswerHandle`].
//!
//! # What each side promises
//!
//! - **What crosses.** To the server: a [hello](crate::transport::ConnectConfig::hello), then requests and
//!   words that a call is given up. To the client: a welcome, or a refusal, and the [`Limits`]; then answers,
//!   that the server drains, and the [`End`]. A ticket crosses as its number
//!   [`seq`](crate::transport::Ticket::seq); its lane is 0. The transport keeps the order of what it is given for one
//!   client, and loses nothing but the whole connection.
//! - **Who waits.** The transport's methods never do: a sink keeps what it is given for a thread of the
//!   transport's that writes. The kit's handles never do either, so that one thread can read for many.
//! - **Bounds.** A client has as many requests in flight as there are [`lanes`](Limits::lanes); further ones
//!   wait on its side. The server's side refuses what is over a limit, and so does the client's.
//! - **Locks.** The kit calls a sink, a meeting point or a waker with no lock of its own held.
//! - **Ends.** Each handle that is dropped, and each queue, ends its connection. So a transport's thread that
//!   ends, however it does, leaves nobody waiting.
//!
//! In [`InProcess`](crate::InProcess) the two queues are joined directly. It uses the inside of the kit: one
//! table of calls serves both ends, and messages take along what is shared, which this kit copies.

// The files follow a call: `client` is the client's end, `in_flight` its `calls` in flight and whoever waits
// for them (`waiter`), `arrivals` what the server's threads look at (by client, in `waiting`), `server` the
// server's end, `remote` a client of it (`attached` by whatever transport). `kept` is a lane that stays
// with one caller. `watchers` wakes handlers whose callers have gone. What is handed over instead of
// copied is in `handed_over` and `transferred_lease`.
pub(crate) mod arrivals;
pub(crate) mod attached;
mod calls;
pub(crate) mod client;
pub(crate) mod end;
pub(crate) mod handed_over;
pub(crate) mod in_flight;
mod kept;
pub(crate) mod limits;
pub(crate) mod outlet;
mod remote;
pub(crate) mod server;
pub(crate) mod transferred_lease;
mod waiter;
mod waiting;
mod watchers;

#[cfg(test)]
mod tests;

pub use client::{AnswerHandle, ClientQueue};
pub use end::End;
pub use limits::Limits;
pub use outlet::{AnswerSink, MeetingPoint, RequestSink};
pub use server::{ConnectionHandle, ServerQueue};
