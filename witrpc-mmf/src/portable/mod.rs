//! The backend for systems without sealed memory.

pub(crate) mod shm;
