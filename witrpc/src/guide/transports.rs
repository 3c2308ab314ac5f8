//! Ways between client and server, and how to write another.
//!
//! A service does not know how its calls come. The [`Endpoint`](crate::Endpoint) decides that, on both sides:
//!
//! | endpoint | reaches | values that are [shared](crate::Shared) | for |
//! | --- | --- | --- | --- |
//! | [`Mmf`](crate::Mmf), or a name | processes of this machine | lent in place | nearly all programs |
//! | `Socket` (feature `socket`) | processes of this machine | copied | places that forbid shared memory: gVisor, a strict seccomp filter, containers without `memfd_create` |
//! | [`InProcess`](crate::InProcess) | threads of this process | handed over | tests, and services that may move to another process later |
//! | a transport of another crate | what it likes | copied, unless it lends | other machines, brokers |
//!
//! All of them pass one suite of tests, the crate `witrpc-conformance`: calls, errors, streams both ways, events,
//! cancellation, deadlines, ends, reconnection, tokens, encryption, back-pressure. None falls back to another by
//! itself: a client that asks for shared memory gets that or an error.
//!
//! # Several at once
//!
//! [`also_listen`](crate::WitServerBuilder::also_listen) adds an endpoint to a server. The same threads serve all of
//! them, behind the same tokens:
//!
//! ```
//! use witrpc::{InProcess, Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Clock {
//!     fn now(&self) -> u64;
//! }
//!
//! struct Stopped;
//!
//! impl Clock for Stopped {
//!     fn now(&self) -> u64 {
//!         12
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (name, inside) = (Mmf::unguessable(), InProcess::new());
//! let _server = WitServer::builder()
//!     .listen(name.clone())
//!     .also_listen(inside.clone())
//!     .service(ClockServer::new(Stopped))
//!     .start()?;
//! assert_eq!(ClockClient::connect(name)?.now()?, 12);
//! assert_eq!(ClockClient::connect(inside)?.now()?, 12);
//! # Ok(())
//! # }
//! ```
//!
//! [`Endpoint::servers`](crate::Endpoint::servers), [`metrics`](crate::Endpoint::metrics) and
//! [`check_health`](crate::Endpoint::check_health) ask over any of them, without being a client.
//!
//! # Writing one
//!
//! A transport that moves messages needs little code, since the kit [`queue`](crate::queue) has the rest. Its page
//! has a whole transport over channels, which runs as it stands. Over to another process or machine, these steps
//! come on top:
//!
//! 1. **The format.** A message has a length with a bound that is checked *before* memory is taken for it. Memory
//!    grows with what has arrived, and not with what a peer announces.
//! 2. **The key exchange.** The client's [`Credentials`](crate::transport::Credentials) are an
//!    [`Initiator`](crate::transport::Initiator), the server's [`Guard`](crate::transport::Guard) a
//!    [`Responder`](crate::transport::Responder). The transport compares the demands, carries one message each way,
//!    and then seals the hello and its answer with the [`Keys`](crate::transport::Keys). If both demand encryption, it
//!    seals all else too. So a broker between sees no plaintext, and
//!    [`identity`](crate::CallContext::identity) holds from end to end. The page of [`transport`](crate::transport)
//!    shows the calls.
//! 3. **Where a client is.** [`ClientInfo::new`](crate::ClientInfo::new) takes what the *kernel* says of a local
//!    client. All others are [`ClientInfo::remote`](crate::ClientInfo::remote), with an address: such a client is no
//!    user of this machine, and so not root either.
//! 4. **Words for what goes wrong.** [`ConnectError::Unreachable`](crate::ConnectError::Unreachable) if the way to
//!    the server is broken, and [`End::Unreachable`](crate::queue::End::Unreachable) if it breaks later. Clients that
//!    reconnect follow both. A request that certainly did not arrive ends by
//!    [`AnswerHandle::undelivered`](crate::queue::AnswerHandle::undelivered). Its caller learns that the handler did
//!    not run, and an idempotent method may be called again. If it is not certain, the call ends with the
//!    connection.
//! 5. **Bounds.** The kit bounds requests; the transport bounds the answers that a client does not read
//!    ([`AnswerSink`](crate::queue::AnswerSink)), the handshakes at the same time and their duration. A peer that
//!    stops reading, floods or dies in a message harms only its own connection.
//! 6. **Ends.** Each thread has an owner that ends it. [`MeetingPoint::close`](crate::queue::MeetingPoint::close)
//!    begins the end on the server's side, and [`join`](crate::queue::MeetingPoint::join) waits for it.
//! 7. **What it may tell.** [`Transport::servers`](crate::transport::Transport::servers) and
//!    [`report`](crate::transport::Transport::report), if it can.
//! 8. **Tests.** The macro `witrpc_conformance::conformance_tests` makes a test of each case of the suite. It takes a
//!    function that returns a new place. What peers do to the transport's own format is for tests of its own.
//!
//! `witrpc/src/endpoint/socket` in the repository has all of this.
