//! Which backend a connection stands on, and the portable one, which the feature `portable` adds.
//!
//! The engines ([`client`](crate::client), [`server`](crate::server)) and everything that stands in
//! the regions are the same with both. What differs:
//!
//! | | native | portable |
//! |---|---|---|
//! | making and opening a region | `sys/memfd.rs` | `shm.rs` |
//! | a caller that waits for its answer | `wakeup/futex.rs` | [`Backoff`] |
//! | the client's link thread | its doorbell | a look now and then, while a call waits |
//! | idle threads of the server | `server/doorbells.rs` | [`Lookout`] |
//! | the users of one server | several | one |
//!
//! The rest of the crate asks [`Backend::portable`] and gets a [`Portable`] where that backend is
//! chosen. Without the feature that type has no value: the compiler removes what depends on one, and
//! the crate `shared_memory` is not built.
//!
//! The [rendezvous](crate::rendezvous) and the link are the same socket with both, and its hang-up is
//! how either side learns of the other's death. The records of the handshake have one format in all
//! builds.

#[cfg(not(feature = "portable"))]
mod absent;
mod backend;
mod backoff;
mod lookout;
#[cfg(feature = "portable")]
mod region;
#[cfg(feature = "portable")]
pub mod shm;

pub use backend::{Backend, BackendCode};
pub use backoff::Backoff;
pub use lookout::{LastLook, Lookout};

/// A sign that the portable backend is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Portable(#[cfg(not(feature = "portable"))] std::convert::Infallible);
