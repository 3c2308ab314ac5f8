//! Doorbells: how a process wakes a thread of the other that sleeps in `epoll_wait`.
//!
//! A doorbell is one end of a socket pair. Ringing sends a byte without ever blocking: a full socket
//! has been rung already. (An eventfd is no faster, and the peer could clear its `O_NONBLOCK`, fill it
//! and block this process.)

use std::sync::RwLockReadGuard;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::closable::Closable;
use super::fd_closer::Socket;
use super::fdpass::{Plain, receive};

/// What [`Doorbell::drain`] found behind the rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Nothing so far.
    Quiet,
    /// The peer has closed its end: it can neither ring nor be rung any more, and the end stays
    /// readable for ever.
    HungUp,
    /// The peer has sent descriptors with a ring, which no honest peer does.
    ReceivedFd,
}

/// This side's end of the doorbell. The portable backend has none, because its threads do not sleep
/// until rung. It can be closed while other threads hold the connection. Each ring takes a lock for that;
/// rings are rare.
#[derive(Debug)]
pub struct Doorbell(Closable<Socket>);

impl Doorbell {
    pub fn new(end: Option<Socket>) -> Self {
        Self(Closable::new(end))
    }

    /// Closes it: no later call rings, and no ring arrives any more.
    pub fn close(&self) {
        self.0.close();
    }

    /// Wakes the other side. A peer that has gone needs no waking.
    #[cold]
    pub fn ring(&self) {
        let end = self.end();
        let Some(end) = &*end else { return };
        while send(end, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
    }

    /// Takes the rings that have come. If a peer rings without end, some rings are left, and wake this
    /// side again.
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
                // Reset by a peer that has left rings of this side unread.
                Err(_) => return Drained::HungUp,
            }
        }
        Drained::Quiet
    }

    /// Returns the descriptor that becomes readable when the other side rings, until it is closed.
    pub fn end(&self) -> RwLockReadGuard<'_, Option<Socket>> {
        self.0.get()
    }
}
