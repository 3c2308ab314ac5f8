//! The backends of a connection: the choice, and the portable one, which the feature `portable`
//! adds.
//!
//! The engines ([`client`](crate::client), [`server`](crate::server)) and the content of the
//! regions are the same with both. The differences:
//!
//! | | native | portable |
//! |---|---|---|
//! | making and opening a region | `sys/memfd.rs` | `shm.rs` |
//! | a caller that waits for its answer | `wakeup/futex.rs` | [`PollPauses`] |
//! | the client's link thread | its doorbell | a look now and then, while a call waits |
//! | idle threads of the server | `server/doorbells.rs` | [`Lookout`] |
//! | the users of one server | several | one |
//!
//! The rest of the crate calls [`Backend::portable`], and gets a [`Portable`] if that backend is
//! chosen. Without the feature that type has no value: the compiler removes the code that depends
//! on one, and the crate `shared_memory` is not built.
//!
//! Both use the same socket for the [rendezvous](crate::rendezvous) and the link, whose hang-up
//! tells either side of the other's death. The records of the handshake have one format in all
//! builds.

#[cfg(not(feature = "portable"))]
mod absent;
mod backend;
mod lookout;
mod poll_pauses;
#[cfg(feature = "portable")]
mod region;
#[cfg(feature = "portable")]
pub mod shm;

#[cfg(all(test, feature = "portable"))]
pub(crate) use backend::PORTABLE;
pub use backend::{Backend, BackendCode};
pub use lookout::{LastLook, Lookout};
pub use poll_pauses::PollPauses;

/// Proof that the portable backend is chosen, with the promise that it takes.
#[derive(Clone, Copy, Debug)]
pub struct Portable(
    #[cfg(not(feature = "portable"))] std::convert::Infallible,
    #[cfg(feature = "portable")] witrpc_transport::TrustedPeer,
);
