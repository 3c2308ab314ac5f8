//! How two processes that share only a name find each other, and what they exchange before the first
//! call.
//!
//! A server [claims](claim) a [name](crate::name) in the [directories](place) of its user. A kernel
//! [lock] says whether the name is served, and clients connect to a socket. A client
//! [connects](mod@connect) to that socket. On the server, one [control] thread runs the
//! [handshake](pending_handshake) with every client, whose format is in [`record`]. After the
//! handshake, the socket is the *link*: no data crosses it, and its hang-up tells each side that the
//! other has gone.

mod claim;
mod connect;
mod control;
mod dead;
mod deadline;
mod directory;
mod find;
mod frame;
#[cfg(any(test, fuzzing))]
mod fuzzed;
mod inquire;
mod lock;
mod offered;
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
pub use dead::{DeadName, dead_names, remove_dead_names};
pub use deadline::{ConnectLimit, Interrupt};
#[cfg(any(test, fuzzing))]
pub use fuzzed::handshake as fuzzed_handshake;
pub use inquire::{Inquired, inquire};
pub use peer::Established;
pub use place::Place;
pub use record::MAX_REPORT_LEN;
#[cfg(any(test, fuzzing))]
pub use record::fuzzed as fuzzed_records;

pub mod pending_handshake;
#[cfg(test)]
pub mod tests;
