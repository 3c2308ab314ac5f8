//! Doorbells: how a process wakes a thread of the other that sleeps in `epoll_wait`.
//!
//! A doorbell is an end of a socket pair. Ringing sends a byte without ever waiting: a full socket
//! has been rung already. (An eventfd is no quicker, and the peer could clear its `O_NONBLOCK`,
//! fill it and hang us.)

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::fd_closer::Socket;
use super::fdpass::{Plain, receive};

/// What [`Bell::drain`] came upon behind the rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Nothing so far.
    Quiet,
    /// The peer has closed its end: it can neither ring nor be rung any more, and the end stays
    /// readable for ever.
    HungUp,
    /// The peer has sent descriptors with a ring, which nobody does who means well.
    ReceivedFd,
}

/// One side's end, or none: with the portable backend nobody sleeps until rung. Behind a lock, so that
/// it can be closed while others have a hold of the connection; rings are rare.
#[derive(Debug)]
pub struct Bell(RwLock<Option<Socket>>);

impl Bell {
    pub fn new(end: Option<Socket>) -> Self {
        Self(RwLock::new(end))
    }

    /// Closes it: nobody rings, or is rung, any more.
    pub fn close(&self) {
        let end = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        // Without the lock.
        drop(end);
    }

    /// Wakes the other side. A peer that is gone needs no waking.
    #[cold]
    pub fn ring(&self) {
        let end = self.end();
        let Some(end) = &*end else { return };
        while send(end, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
    }

    /// Takes the rings that have come. A peer that rings without end is left with some: they wake
    /// us again.
    pub fn drain(&self) -> Drained {
        let end = self.end();
        let Some(end) = &*end else { return Drained::Quiet };
        let mut rings = [0; 64];
        for _ in 0..16 {
            match receive(end, &mut rings) {
                Ok(Plain::ReceivedFd) => return Drained::ReceivedFd,
                Ok(Plain::Bytes(0)) => return Drained::HungUp,
                Ok(Plain::Bytes(len)) if len == rings.len() => {}
                Ok(Plain::Bytes(_)) | Err(Errno::AGAIN) => break,
                // Reset by a peer that has left rings of ours unread.
                Err(_) => return Drained::HungUp,
            }
        }
        Drained::Quiet
    }

    /// What becomes readable when the other side rings, until it is closed.
    pub fn end(&self) -> RwLockReadGuard<'_, Option<Socket>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
