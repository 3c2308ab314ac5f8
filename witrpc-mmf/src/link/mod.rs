//! What both sides of a connection have in common: lines, messages, blocks and leases.

pub mod cancel;
pub mod half;
pub mod head;
pub mod lease;
#[doc(hidden)]
pub mod line;
pub mod message_codec;
pub mod ready_line;
pub mod reassembly;
pub mod receiver;
pub mod release;
pub mod sealed;
pub mod sender;
pub mod state;
