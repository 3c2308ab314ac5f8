//! The endpoints of servers, and the engine of each.
//!
//! [`mmf`] is named shared memory, and the only folder that names that engine. [`in_process`] is a place within
//! one process. [`socket`] is a Unix socket, on the kit that other crates have too.

mod from;
pub mod in_process;
pub mod inquire;
#[cfg(feature = "mmf")]
pub mod mmf;
#[cfg(feature = "socket")]
pub mod socket;
