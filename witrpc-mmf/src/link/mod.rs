//! What both sides of a connection share: lines, messages, leases.

pub(crate) mod cancel;
pub(crate) mod half;
pub(crate) mod head;
pub mod lease;
#[doc(hidden)]
pub mod line;
pub(crate) mod message;
pub(crate) mod message_codec;
pub(crate) mod reassembly;
pub(crate) mod receiver;
pub mod release;
pub(crate) mod sealed;
pub(crate) mod sender;
pub(crate) mod state;
