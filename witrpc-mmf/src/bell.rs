//! Doorbells: how a process wakes a thread of the other that sleeps in `epoll_wait`.
//!
//! A doorbell is an end of a socket pair. Ringing sends a byte without ever waiting: a full socket
//! has been rung already. (An eventfd is no quicker, and the peer could clear its `O_NONBLOCK`,
//! fill it and hang us.)

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::disposal::Socket;
use crate::fdpass::{Plain, receive};

/// What [`Bell::drain`] came upon behind the rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Drained {
    /// Nothing so far.
    Quiet,
    /// The peer has closed its end: it can neither ring nor be rung any more, and the end stays
    /// readable for ever.
    HungUp,
    /// The peer has sent descriptors with a ring, which nobody does who means well.
    Passed,
}

/// One side's end, or none: with the portable backend nobody sleeps until rung.
#[derive(Debug)]
pub(crate) struct Bell(Option<Socket>);

impl Bell {
    pub(crate) fn new(end: Option<Socket>) -> Self {
        Self(end)
    }

    /// Wakes the other side. A peer that is gone needs no waking.
    #[cold]
    pub(crate) fn ring(&self) {
        let Some(end) = &self.0 else { return };
        while send(end, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
    }

    /// Takes the rings that have come. A peer that rings without end is left with some: they wake
    /// us again.
    pub(crate) fn drain(&self) -> Drained {
        let Some(end) = &self.0 else { return Drained::Quiet };
        let mut rings = [0; 64];
        for _ in 0..16 {
            match receive(end, &mut rings) {
                Ok(Plain::Passed) => return Drained::Passed,
                Ok(Plain::Bytes(0)) => return Drained::HungUp,
                Ok(Plain::Bytes(len)) if len == rings.len() => {}
                Ok(Plain::Bytes(_)) | Err(Errno::AGAIN) => break,
                // Reset by a peer that has left rings of ours unread.
                Err(_) => return Drained::HungUp,
            }
        }
        Drained::Quiet
    }

    /// What becomes readable when the other side rings.
    pub(crate) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }
}
