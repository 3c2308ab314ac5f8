//! The small things that everything else stands on.

mod signals;
mod threads;

// Where a thread is started, its signals are blocked: one place for all crates.
pub(crate) use witrpc_mmf::{SignalMask, spawn, spawn_scoped};

pub(crate) use signals::restore_elsewhere;
pub use signals::restore_signal_mask;
pub(crate) use threads::Threads;
