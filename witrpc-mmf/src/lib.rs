//! The shared-memory channel of `witrpc`. It carries messages as bytes between two processes of one
//! machine, and knows nothing of methods.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may start threads"))]

mod client;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod hostile;
mod link;
mod memory;
mod name;
mod portable;
mod rendezvous;
#[cfg(test)]
mod sanitized;
mod seam;
mod server;
mod sys;
mod wakeup;

pub use crate::client::{Allocating, Client, ClientOptions, KeptLane, SendState};
pub use crate::error::{BindError, ConnectError, DirectoryError, LookedIn};
pub use crate::link::lease::{
    Claim, LeaseWriter, MAX_LEASES_OF_A_MESSAGE, OwnLease, ReceivedLease,
};
pub use crate::memory::layout::{INLINE_LEN, MAX_LANES, MIN_LANES};
pub use crate::memory::send_arena::MAX_LEASES;
pub use crate::name::{Name, NameError};
pub use crate::portable::Backend;
pub use crate::rendezvous::{ConnectLimit, Inquired, Interrupt, MAX_REPORT_LEN, Place};
pub use crate::rendezvous::{DeadName, dead_names, inquire, live_names, remove_dead_names};
pub use crate::seam::{bind, connect};
pub use crate::server::{Connection, Scanner, Server, ServerOptions};
pub use crate::sys::fork::{Descriptor, Origin};
pub use crate::sys::inspection::forbid_inspection;
pub use link::{lease, line, release};
pub use memory::{arena, copy, words};
pub use wakeup::epoch;
