//! The channel under `witrpc`: bytes between two processes of one machine, never methods.

#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start threads as they like"))]

pub mod arena;
mod backend;
mod bell;
mod cancel;
mod carriage;
mod client;
mod clock;
pub mod copy;
mod disposal;
mod error;
mod fdpass;
mod fork;
mod futex;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
#[cfg(test)]
mod hostile;
mod layout;
pub mod lease;
#[doc(hidden)]
pub mod line;
mod memfd;
mod message;
mod outbox;
mod park;
mod partial;
mod region;
pub mod release;
mod rendezvous;
mod resource;
#[doc(hidden)]
pub mod ring;
mod room;
#[cfg(test)]
mod sanitized;
mod sealed;
mod seam;
mod server;
mod shm;
mod signals;
mod spawn;
mod spin;
mod state;
mod wake;
pub mod words;

pub use backend::Backend;
pub use client::{Allocating, Client, ClientOptions, KeptLane, SendState};
pub use error::{BindError, ConnectError, DirectoryError, LookedIn, NameError};
pub use fork::{Descriptor, Origin};
pub use layout::{INLINE_LEN, MAX_LANES, MIN_LANES};
pub use lease::{Claim, LeaseWriter, MAX_LEASES_OF_A_MESSAGE, OwnLease, ReceivedLease};
pub use outbox::MAX_LEASES;
pub use rendezvous::{ConnectLimit, Interrupt, MAX_REPORT_LEN, Name, Place, inquire, live_names};
pub use resource::ResourceError;
pub use seam::{bind, connect};
pub use server::{Connection, Scanner, Server, ServerOptions};
pub use signals::{SignalMask, programs_mask_elsewhere};
pub use spawn::{spawn, spawn_scoped};
