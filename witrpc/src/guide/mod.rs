//! The guide: how to build with this crate, one chapter for each task.
//!
//! Read [`getting_started`] first; it ends with two programs that talk. The other chapters stand
//! alone:
//!
//! - [`errors`]: what can go wrong with a call, and what to do about it;
//! - [`asynchronous`]: `async` handlers and clients, with tokio, another runtime or none;
//! - [`cancellation`]: deadlines, and calls whose caller has stopped waiting;
//! - [`streams_and_events`]: results that come one by one, and events that the service emits at any
//!   time;
//! - [`reconnection`]: clients that outlive their server;
//! - [`workers`]: work in a separate process: code that may crash, leak, or be killed;
//! - [`zero_copy`]: frames, tensors and samples that cross without being copied;
//! - [`observing`]: what a server does, by counters, hooks and spans;
//! - [`operating`]: the command `witrpc`, and a client without a trait;
//! - [`transports`]: ways between client and server, several at once, and how to write another;
//! - [`testing`]: services without a second process, and with one;
//! - [`security`]: which programs can call, and what protects against which attacker;
//! - [`choosing_size`]: how much memory, how many lanes, clients and threads;
//! - [`hosts`]: containers, service managers and daemons;
//! - [`versions`]: programs of different versions, and what may change between them;
//! - [`from_dotnet`]: for users of WitRPC for .NET.
//!
//! The tests of this crate compile all code of the guide, and run it where that is possible. Whole
//! programs are in the folder `examples` of the repository.

pub mod asynchronous;
pub mod cancellation;
pub mod choosing_size;
pub mod errors;
pub mod from_dotnet;
pub mod getting_started;
pub mod hosts;
pub mod observing;
pub mod operating;
pub mod reconnection;
pub mod security;
pub mod streams_and_events;
pub mod testing;
pub mod transports;
pub mod versions;
pub mod workers;
pub mod zero_copy;
