//! Where a server is reached, and by which engine.

pub(crate) mod mmf;
