//! The small building blocks that the `witrpc` crates share.

#![deny(missing_docs, unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start threads as they like"))]

mod barrier;
pub mod cgroup;
mod doubling;
mod joinable;
mod lock;
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe function can hold the pid 0 of another namespace")]
mod peer_credentials;
mod quota;
#[cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "no safe function reads or sets the mask of a thread, or that of a command"
    )
)]
mod signals;
mod spawn;
mod spin_budget;
#[cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "no safe function tells where the stack of a thread ends")
)]
mod stack;
mod thread_limits;
mod time_queue;
mod user;
mod wake;
mod waker_set;
mod yielding;

pub use barrier::{has_heavy_barrier, heavy_barrier, light_barrier};
pub use doubling::Doubling;
pub use joinable::{Joinable, poll_until};
pub use lock::{lock, wait, wait_until};
#[cfg(target_os = "linux")]
pub use peer_credentials::PeerCredentials;
pub use quota::has_quota_of_one_processor;
pub use signals::{SignalMask, programs_mask_elsewhere};
pub use spawn::{spawn, spawn_scoped};
pub use spin_budget::{SpinBudget, SpinLimits};
pub use stack::StackLimit;
pub use time_queue::{TimeKey, TimeQueue};
pub use user::user_id;
pub use wake::wake;
pub use waker_set::WakerSet;
pub use yielding::{Patience, yield_to_others};
