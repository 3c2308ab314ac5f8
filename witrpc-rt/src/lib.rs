//! The small things that the crates of `witrpc` share.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod lock;
mod wake;

pub use lock::{lock, wait, wait_until};
pub use wake::wake;
