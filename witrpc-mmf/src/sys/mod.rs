//! What the system gives: memory, descriptors, clocks, limits.

pub(crate) mod backend;
pub(crate) mod clock;
pub(crate) mod event_fd;
pub(crate) mod fd_closer;
pub(crate) mod fdpass;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod memfd;
pub(crate) mod resource;
