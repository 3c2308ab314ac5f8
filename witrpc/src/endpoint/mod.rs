//! Where a server is reached, and by which engine.
//!
//! [`mmf`] is named shared memory: the only folder that names that engine.

mod from;
pub(crate) mod mmf;
