//! The kit for transports that move messages instead of sharing memory.
//!
//! A [`Transport`](crate::transport::Transport) brings two things of its own: how clients meet the server, and
//! how a message crosses. All else that client and server expect of a transport is here. That includes calls in
//! flight by ticket, waits with limits (as a thread or as a task), and lanes that one caller keeps. It also
//! includes fair turns of the clients, calls that are given up, and the stages in which a server ends.
//!
//! - `bind` makes a [`ServerQueue`] and returns it. For each client, the transport calls
//!   [`ServerQueue::connect`] with an [`AnswerSink`], and passes what the client sends to the
//!   [`ConnectionHandle`].
//! - `connect` sends the hello, waits for the welcome, makes a [`ClientQueue`] with a [`RequestSink`] and
//!   returns it. The transport passes what the server sends to the [`AnswerHandle`].
//!
//! # What each side promises
//!
//! - **What crosses.** To the server: a [hello](crate::transport::ConnectConfig::hello), then requests, and
//!   notices that a call is given up. To the client: a welcome, or a refusal, and the [`Limits`]; then answers,
//!   the notice that the server drains, and the [`End`]. A ticket crosses as its number
//!   [`seq`](crate::transport::Ticket::seq); its lane is 0. The transport keeps the order of all messages to
//!   one client. It loses no message unless it loses the connection.
//! - **What may block.** Only [`MeetingPoint::join`]. The transport's other methods never wait: a sink queues
//!   what it is given for a writer thread of the transport. The kit's handles never wait either, so one thread
//!   can read for many clients. [`ServerQueue::connect`] takes as long as the
//!   [hooks](crate::ServerHook::joined) of users.
//! - **Back-pressure.** A client has at most [`lanes`](Limits::lanes) requests in flight; further ones wait on
//!   its side. Each side refuses what is over a limit. A call is in flight until it is answered, whether or not
//!   that answer is read. So the transport must bound the answers that a client does not read ([`AnswerSink`]).
//!   The kit does not bound answers that have arrived and that the client's own program does not take.
//! - **Locks.** The kit holds no lock while it calls a sink, a meeting point or a waker.
//! - **Ends.** Each handle and each queue ends its connection when it is dropped. So a transport's thread that
//!   ends for any reason leaves no call waiting.
//!
//! # Examples
//!
//! This transport uses two channels of the standard library for each client, and a thread that reads each. The
//! directory `tests/tests/own_socket` of the repository has one over sockets. It writes frames, bounds its
//! answers, and ends its threads with the server.
//!
//! ```
//! use std::sync::mpsc::{self, Sender};
//! use std::sync::{Arc, Mutex, Weak};
//! use std::thread;
//! use std::time::Duration;
//!
//! use witrpc::queue::{
//!     AnswerSink, ClientQueue, End, Limits, MeetingPoint, RequestSink, ServerQueue,
//! };
//! use witrpc::transport::{
//!     Answer, BindConfig, ClientChannel, ClientInfo, ConnectConfig, Request, ServerPort, Ticket,
//!     Transport,
//! };
//! use witrpc::{BindError, ConnectError, Endpoint, WitServer, wit_service};
//!
//! enum ToServer {
//!     Request(Request),
//!     Cancel(Ticket),
//!     Close,
//! }
//!
//! enum ToClient {
//!     Answer(Ticket, Answer),
//!     Drain,
//!     End(End),
//! }
//!
//! // A message that is not read any more is lost with its connection, of which the reader tells the kit.
//! struct Requests(Sender<ToServer>);
//!
//! impl RequestSink for Requests {
//!     fn send(&self, request: Request) {
//!         let _ = self.0.send(ToServer::Request(request));
//!     }
//!
//!     fn cancel(&self, ticket: Ticket) {
//!         let _ = self.0.send(ToServer::Cancel(ticket));
//!     }
//!
//!     fn close(&self) {
//!         let _ = self.0.send(ToServer::Close);
//!     }
//! }
//!
//! struct Answers(Sender<ToClient>);
//!
//! impl AnswerSink for Answers {
//!     fn send(&self, ticket: Ticket, answer: Answer) {
//!         let _ = self.0.send(ToClient::Answer(ticket, answer));
//!     }
//!
//!     fn drain(&self) {
//!         let _ = self.0.send(ToClient::Drain);
//!     }
//!
//!     fn close(&self, end: End) {
//!         let _ = self.0.send(ToClient::End(end));
//!     }
//! }
//!
//! /// Nothing listens here: a client finds the server in the same process.
//! struct Nowhere;
//!
//! impl MeetingPoint for Nowhere {}
//!
//! #[derive(Debug, Default)]
//! struct Channels(Mutex<Weak<ServerQueue>>);
//!
//! impl Transport for Channels {
//!     fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
//!         let server = ServerQueue::new(Arc::new(Nowhere), config, Limits::default())?;
//!         *self.0.lock().unwrap() = Arc::downgrade(&server);
//!         Ok(server)
//!     }
//!
//!     fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
//!         let server = self.0.lock().unwrap().upgrade().ok_or(ConnectError::HungUp)?;
//!         let (to_server, requests) = mpsc::channel();
//!         let (to_client, answers) = mpsc::channel();
//!
//!         // On the server's side. Both are one process here, so the token itself is compared.
//!         let clearance = server.guard().check(&config.credentials)?;
//!         let client = ClientInfo::new(std::process::id(), 0).cleared(clearance);
//!         let (welcome, connection) = server.connect(&config.hello, client, Answers(to_client))?;
//!         thread::spawn(move || {
//!             for message in requests {
//!                 match message {
//!                     ToServer::Request(request) => {
//!                         if connection.request(request).is_err() {
//!                             return;
//!                         }
//!                     }
//!                     ToServer::Cancel(ticket) => connection.cancel(ticket),
//!                     ToServer::Close => return,
//!                 }
//!             }
//!         });
//!
//!         // On the client's side.
//!         let requests = Requests(to_server);
//!         let (channel, handle) = ClientQueue::new(welcome, server.limits(), requests);
//!         thread::spawn(move || {
//!             for message in answers {
//!                 match message {
//!                     ToClient::Answer(ticket, answer) => {
//!                         if handle.answer(ticket, answer).is_err() {
//!                             return handle.end(End::Misbehaved);
//!                         }
//!                     }
//!                     ToClient::Drain => handle.drain(),
//!                     ToClient::End(end) => return handle.end(end),
//!                 }
//!             }
//!         });
//!         Ok(channel)
//!     }
//! }
//!
//! #[wit_service]
//! trait Adder {
//!     fn add(&self, a: u64, b: u64) -> u64;
//! }
//!
//! struct Local;
//!
//! impl Adder for Local {
//!     fn add(&self, a: u64, b: u64) -> u64 {
//!         a + b
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Endpoint::new(Channels::default());
//! let service = AdderServer::new(Local);
//! let server = WitServer::builder().listen(place.clone()).service(service).start()?;
//! let client = AdderClient::connect(place)?;
//! assert_eq!(client.add(2, 3)?, 5);
//! assert!(server.shutdown(Duration::from_secs(10)));
//! # Ok(())
//! # }
//! ```
//!
//! # Inside
//!
//! [`InProcess`](crate::InProcess) joins the two queues directly. One table of calls serves both ends, and
//! messages take shared values along instead of copying them.

// The files follow a call: `client` is the client's end, `in_flight` its `calls` in flight with each `waiter`.
// `arrivals` is what the server's threads look at (by client, in `waiting`). `server` is the server's end,
// `remote` a client of it (`attached` by any transport). `kept` is a lane that stays with one caller. Messages
// that are handed over instead of copied are in `handed_over` and `transferred_lease`.
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

#[cfg(test)]
mod tests;

pub use client::{AnswerHandle, ClientQueue};
pub use end::End;
pub use limits::Limits;
pub use outlet::{AnswerSink, MeetingPoint, RequestSink};
pub use server::{ConnectionHandle, ServerQueue};
