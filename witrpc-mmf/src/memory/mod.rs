//! The regions, and the space in them.

pub mod arena;
pub mod copy;
pub(crate) mod layout;
pub(crate) mod region;
pub(crate) mod send_arena;
pub(crate) mod try_alloc;
pub mod words;
