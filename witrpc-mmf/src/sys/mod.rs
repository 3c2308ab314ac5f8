//! The resources of the system: memory, descriptors, clocks, limits.

pub mod clock;
pub mod closable;
pub mod doorbell;
pub mod fd_closer;
pub mod fdpass;
pub mod fork;
pub mod inspection;
pub mod memfd;
pub mod own_files;
pub mod resource;
pub mod sleep;
