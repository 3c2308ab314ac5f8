//! How much memory, how many lanes, clients and threads.
//!
//! The defaults are for small calls of a few clients that trust each other. All limits are set by
//! the server, on its [`Mmf`](crate::Mmf) or its [builder](crate::WitServerBuilder); clients learn
//! them when they connect.
//!
//! # Size
//!
//! [`size`](crate::Mmf::size) is the shared memory of one client, both directions together: 1 MiB
//! unless given. It is not the length of the longest message. What is longer than a quarter of it
//! crosses in segments, up to [`max_message_size`](crate::Mmf::max_message_size); that takes about
//! twice as long a byte, and nothing else changes:
//!
//! ```
//! use witrpc::{Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Echo {
//!     fn echo(&self, bytes: &[u8]) -> Vec<u8>;
//! }
//!
//! struct Wall;
//!
//! impl Echo for Wall {
//!     fn echo(&self, bytes: &[u8]) -> Vec<u8> {
//!         bytes.to_vec()
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Mmf::unguessable().size(64 << 10);
//! let server = WitServer::builder().listen(place.clone()).service(EchoServer::new(Wall)).start()?;
//!
//! // A message of 1 MiB through 64 KiB of memory.
//! let echo = EchoClient::connect(place)?;
//! let bytes = vec![7; 1 << 20];
//! assert_eq!(echo.echo(&bytes)?, bytes);
//! # Ok(())
//! # }
//! ```
//!
//! So the question is which messages are to be fast:
//!
//! | Calls | `size` |
//! | --- | --- |
//! | of a few KiB, or seldom more | leave it at 1 MiB |
//! | with messages of a known length *n* | 8 *n*: two in flight each way, in one piece |
//! | many in flight, each of *n* | 4 *n* for each that is in flight |
//! | tiny ones, from very many clients | the minimum, 40 KiB at 64 lanes |
//!
//! The memory is allocated when a client connects, about a millisecond for 4 MiB, and is gone when
//! it leaves. A size that the machine cannot give is an error there, not a crash later.
//!
//! # Lanes
//!
//! A call in flight takes one of the connection's [`lanes`](crate::Mmf::lanes), 64 unless given. A
//! thread that makes one blocking call after the other needs one; an async client needs as many as
//! it wants calls in flight. More calls than that wait for a lane, first come, first served, until their
//! time is over ([`CallError::NoFreeLane`](crate::CallError::NoFreeLane)). A call that was given up keeps
//! its lane until the server has answered it; the error says how many lanes such calls hold. A lane costs
//! some 270 bytes of `size`; the limit is 1024.
//!
//! # Clients
//!
//! [`max_clients`](crate::Mmf::max_clients), 64 unless given, bounds what clients cost together:
//! `max_clients × size` of shared memory (a client that has gone counts while a service keeps its
//! frames, see [`Shared`](crate::Shared)), and at the worst
//! `max_clients × lanes × max_message_size` of the server's own. With the defaults that worst is
//! 64 MiB for each of 4096 calls, so a server for programs that it does not trust lowers all three.
//!
//! # The longest message
//!
//! [`max_message_size`](crate::Mmf::max_message_size), 64 MiB unless given, is refused where it is
//! made: the caller of too long a request gets
//! [`CallError::TooLarge`](crate::CallError::TooLarge) before anything is sent.
//!
//! # Threads
//!
//! A server begins with two threads and adds one when a handler takes long, up to
//! [`max_workers`](crate::WitServerBuilder::max_workers), 64 unless given. Handlers that block (on
//! files, locks, calls to other services) each hold one. One client does not get the last eighth of them
//! beyond its share, so that its slow calls leave workers for others. Those that clients leave in handlers
//! when they go are replaced, up to as many again; then no new client is let in. Handlers that would wait in great numbers
//! are better written as `async fn`, which hold none while they wait. A client brings one thread a
//! connection, which sleeps unless it is needed.
//!
//! # Waiting
//!
//! Both sides spin for a moment before they sleep, if that has lately paid. Waking a sleeper takes
//! some 25 µs. A program that calls a thousand times a second and wants each answer at once can
//! have both sides spin all the time, on cores of their own:
//! [`WaitPolicy::Spin`](crate::WaitPolicy::Spin). One that must not burn any time takes
//! [`WaitPolicy::Park`](crate::WaitPolicy::Park).
