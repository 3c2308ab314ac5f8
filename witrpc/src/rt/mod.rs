//! Small building blocks that all other modules use.

mod block_on;
pub mod cancel_token;
mod offload;
pub mod panics;
pub mod primitive;
mod rare;
mod signals;
mod threads;
mod timer;

// All crates start threads in one place, where their signals are blocked.
pub use block_on::{block_on, unparks};
pub use offload::offload;
pub use rare::Rare;
#[cfg(feature = "worker")]
pub use signals::restore_elsewhere;
pub use signals::restore_signal_mask;
pub use threads::Threads;
pub use timer::{Alarm, Timer};
#[cfg(feature = "worker")]
pub use witrpc_rt::SignalMask;
pub use witrpc_rt::{spawn, spawn_scoped};
