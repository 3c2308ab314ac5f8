//! The descriptor that a server keeps for the client that finds it without any.
//!
//! A client that cannot be accepted learns nothing, and keeps the listener readable. So at the limit the
//! reserve is closed, and the client is accepted in its place and receives the limit. The reserve is opened
//! again when that client has gone. Another thread of the process may have taken the place by then: the
//! reserve is spent until a descriptor is free.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::sys::fork::Descriptor;

/// A descriptor, or none while it is spent.
#[derive(Debug)]
pub struct Reserve(Option<Descriptor>);

impl Reserve {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// There is no descriptor.
    pub fn new() -> Result<Self, Errno> {
        open().map(|reserve| Self(Some(reserve)))
    }

    /// Opens it again if it is spent and there is a descriptor.
    pub fn refill(&mut self) {
        if self.0.is_none() {
            self.0 = open().ok();
        }
    }

    /// Closes it. Returns whether there was one.
    pub fn spend(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// An eventfd counts against the limit of the process and that of the machine; a duplicate would count
/// against the former only.
fn open() -> Result<Descriptor, Errno> {
    Descriptor::open(|| eventfd(0, EventfdFlags::CLOEXEC))
}
