//! How much memory, how many lanes, clients and threads.
//!
//! The defaults are for small calls of a few clients that trust each other. The server sets all
//! limits, on its [`Mmf`](crate::Mmf) or its [builder](crate::WitServerBuilder); clients learn them
//! when they connect.
//!
//! # Size
//!
//! [`size`](crate::Mmf::size) is the shared memory of one client, both directions together: 1 MiB
//! by default. It does not limit the length of a message. A message longer than a quarter of it
//! crosses in segments, up to [`max_message_size`](crate::Mmf::max_message_size). That takes about
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
//! So choose `size` by the messages that must be fast:
//!
//! | Calls | `size` |
//! | --- | --- |
//! | of a few KiB, rarely more | leave it at 1 MiB |
//! | with messages of a known length *n* | 8 *n*: two in flight each way, in one piece |
//! | many in flight, each of *n* | 4 *n* for each call in flight |
//! | tiny ones, from very many clients | the minimum, 40 KiB at 64 lanes |
//!
//! The memory is allocated when a client connects, about a millisecond for 4 MiB, and freed when
//! the client leaves. If the machine cannot give that memory, connecting is an error. There is no
//! crash later.
//!
//! # Lanes
//!
//! A call in flight takes one of the connection's [`lanes`](crate::Mmf::lanes), 64 by default. A
//! thread that makes one blocking call after the other needs one lane. An async client needs a lane
//! for each call in flight.
//!
//! Further calls wait for a lane, first come, first served, until their time is over
//! ([`CallError::NoFreeLane`](crate::CallError::NoFreeLane)). A cancelled call keeps its lane until
//! the server has answered it; the error says how many lanes such calls hold. A lane costs some 270
//! bytes of `size`; the limit is 1024.
//!
//! # Clients
//!
//! [`max_clients`](crate::Mmf::max_clients), 64 by default, bounds what all clients cost together.
//! They take `max_clients × size` of shared memory. A client that has gone counts while a service
//! keeps its frames, see [`Shared`](crate::Shared). At the worst they also take
//! `max_clients × lanes × max_message_size` of the server's private memory. With the defaults that
//! worst case is 64 MiB for each of 4096 calls. So lower all three in a server for programs that it
//! does not trust.
//!
//! # The longest message
//!
//! The sender refuses a message longer than [`max_message_size`](crate::Mmf::max_message_size), 64
//! MiB by default. The caller of a request that is too long gets
//! [`CallError::TooLarge`](crate::CallError::TooLarge) before anything is sent.
//!
//! # Threads
//!
//! A server begins with two threads and adds one when a handler takes long, up to
//! [`max_workers`](crate::WitServerBuilder::max_workers), 64 by default. A handler that blocks (on
//! files, locks, calls to other services) holds one thread. One client does not get the last eighth
//! of them beyond its share, so that its slow calls leave workers for others. With fewer than eight,
//! a client that is alone gets all, and one that comes later waits for its handlers.
//!
//! When clients go and leave threads in handlers, the server replaces these threads, up to the same
//! number again; then it refuses new clients. Handlers that would wait in great numbers are better
//! written as `async fn`, which hold no thread while they wait. A client brings one thread a
//! connection, which sleeps unless it is needed.
//!
//! # Waiting
//!
//! Both sides spin for a moment before they sleep, if that has lately paid. Waking a sleeper takes
//! some 25 µs. A program may call a thousand times a second and want each answer at once. It can
//! have both sides spin all the time, on separate cores:
//! [`WaitPolicy::Spin`](crate::WaitPolicy::Spin). A program that must not burn any time uses
//! [`WaitPolicy::Park`](crate::WaitPolicy::Park).
