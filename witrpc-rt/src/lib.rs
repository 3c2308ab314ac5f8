//! The small things that the crates of `witrpc` share.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start threads as they like"))]

mod lock;
mod wake;

pub use lock::{lock, wait, wait_until};
pub use wake::wake;
