//! The small things that everything else stands on.

mod block_on;
pub(crate) mod cancel_token;
mod offload;
pub(crate) mod panics;
mod signals;
mod threads;
mod timer;
mod waiters;

// Where a thread is started, its signals are blocked: one place for all crates.
pub(crate) use block_on::block_on;
pub(crate) use offload::offload;
pub(crate) use signals::restore_elsewhere;
pub use signals::restore_signal_mask;
pub(crate) use threads::Threads;
pub(crate) use timer::{Alarm, Timer};
pub(crate) use waiters::{Waiters, until_so};
pub(crate) use witrpc_rt::{SignalMask, spawn, spawn_scoped};
