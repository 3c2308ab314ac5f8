//! Doorbells: how a process wakes a thread of the other that sleeps in `epoll_wait`.
//!
//! A doorbell is an end of a socket pair. Ringing sends a byte without ever waiting: a full socket
//! has been rung already. (An eventfd is no quicker, and the peer could clear its `O_NONBLOCK`,
//! fill it and hang us.)

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::fork::Descriptor;

/// One side's end.
#[derive(Debug)]
pub(crate) struct Bell(Descriptor);

impl Bell {
    pub(crate) fn new(end: Descriptor) -> Self {
        Self(end)
    }

    /// Wakes the other side. A peer that is gone needs no waking.
    #[cold]
    pub(crate) fn ring(&self) {
        while send(&self.0, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
    }

    /// Takes the rings that have come. A peer that rings without end is left with some: they wake
    /// us again.
    pub(crate) fn drain(&self) {
        let mut rings = [0; 64];
        for _ in 0..16 {
            match recv(&self.0, &mut rings, RecvFlags::DONTWAIT) {
                Ok((received, _)) if received == rings.len() => {}
                Err(Errno::INTR) => {}
                _ => return,
            }
        }
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
