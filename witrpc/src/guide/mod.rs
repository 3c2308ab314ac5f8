//! The guide: how to build with this crate, a chapter for each thing that one sets out to do.
//!
//! Read [`getting_started`] first; it ends with two programs that talk. The other chapters stand
//! alone:
//!
//! - [`errors`]: what can go wrong with a call, and what to do about it;
//! - [`asynchronous`]: `async` handlers and clients, with tokio, another runtime or none;
//! - [`cancellation`]: deadlines, and calls that nobody waits for any more;
//! - [`streams_and_events`]: results that come one by one, and news that nobody asked for;
//! - [`reconnection`]: clients that outlive their server;
//! - [`workers`]: work in a process of its own: what may crash, leak, or be killed;
//! - [`zero_copy`]: frames, tensors and samples that cross without being copied;
//! - [`observing`]: what a server does, by counters, hooks and spans;
//! - [`testing`]: services without a second process, and with one;
//! - [`security`]: who can call, and what protects against whom;
//! - [`choosing_size`]: how much memory, how many lanes, clients and threads;
//! - [`versions`]: programs of different versions, and what may change between them;
//! - [`from_dotnet`]: for those who know WitRPC for .NET.
//!
//! All code of the guide is compiled, and run where it can be, by the tests of this crate. Whole
//! programs stand in the folder `examples` of the repository.

pub mod asynchronous;
pub mod cancellation;
pub mod choosing_size;
pub mod errors;
pub mod from_dotnet;
pub mod getting_started;
pub mod observing;
pub mod reconnection;
pub mod security;
pub mod streams_and_events;
pub mod testing;
pub mod versions;
pub mod workers;
pub mod zero_copy;
