//! The backend for systems without sealed memory.

pub mod shm;
