//! Where a server is reached, and by which engine.
//!
//! [`mmf`] is named shared memory: the only folder that names that engine. [`in_process`] is a place
//! within one process.

mod from;
pub mod in_process;
pub mod mmf;
