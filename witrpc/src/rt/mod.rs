//! The small things that everything else stands on.

mod block_on;
pub mod cancel_token;
mod offload;
pub mod panics;
pub mod primitive;
mod rare;
mod signals;
mod threads;
mod timer;

// Where a thread is started, its signals are blocked: one place for all crates.
pub use block_on::{block_on, unparks};
pub use offload::offload;
pub use rare::Rare;
pub use signals::restore_elsewhere;
pub use signals::restore_signal_mask;
pub use threads::Threads;
pub use timer::{Alarm, Timer};
pub use witrpc_rt::{SignalMask, spawn, spawn_scoped};
