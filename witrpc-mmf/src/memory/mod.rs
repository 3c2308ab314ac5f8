//! The regions of a connection, and the space in them.

pub mod arena;
pub mod copy;
pub mod layout;
pub mod region;
pub mod send_arena;
pub mod try_alloc;
pub mod words;
