//! How two processes that know only a name find each other, and what they exchange before the
//! first call.
//!
//! A server [claims](claim) a [name](crate::name) in the [directories](place) of its user: a kernel
//! [lock] says who serves, a socket lets clients in. A client [connects](mod@connect) to the socket;
//! on the server one [control] thread leads every client through the [handshake](pending_handshake), of
//! which [`record`] holds the format. From then on the socket is the *link*: no data crosses it,
//! and its hang-up tells each side that the other has gone.

mod claim;
mod connect;
mod control;
mod deadline;
mod directory;
mod find;
mod frame;
#[cfg(any(test, fuzzing))]
mod fuzzed;
mod inquire;
mod lock;
mod peer;
mod place;
mod record;
mod records;

pub use claim::NameClaim;
pub use claim::live_names;
#[cfg(test)]
pub use connect::connect;
pub use connect::{ConnectOptions, Connected, connect_within};
pub use control::{Control, GRACE, Host, ServerLimits};
pub use deadline::{ConnectLimit, Interrupt};
#[cfg(any(test, fuzzing))]
pub use fuzzed::handshake as fuzzed_handshake;
pub use inquire::inquire;
pub use peer::Established;
pub use place::Place;
pub use record::MAX_REPORT_LEN;
#[cfg(any(test, fuzzing))]
pub use record::fuzzed as fuzzed_records;

pub mod pending_handshake;
#[cfg(test)]
pub mod tests;
