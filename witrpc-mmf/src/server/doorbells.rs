//! Where the idle threads of a server with the native backend sleep: one epoll instance for all of
//! them.
//!
//! Every doorbell is registered edge-triggered, so that one ring wakes one thread.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;

use crate::sys::doorbell::Doorbell;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;
use crate::sys::sleep::sleep_on;

use super::parking::{OnWake, Parking};

/// The key of the private eventfd. The ids of connections begin at 1.
const PRIVATE: u64 = 0;

/// How many doorbells one thread handles at a time.
const MAX_EVENTS: usize = 64;

/// The doorbells of all connections, and a private eventfd.
#[derive(Debug)]
pub struct Doorbells {
    epoll: Descriptor,
    /// An eventfd that no other process has.
    private: Descriptor,
}

impl Doorbells {
    pub fn new() -> Result<Self, std::io::Error> {
        let epoll = Descriptor::open(|| epoll::create(epoll::CreateFlags::CLOEXEC))?;
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let private = Descriptor::open(|| eventfd(0, flags))?;
        let doorbells = Self { epoll, private };
        doorbells.add(&doorbells.private, PRIVATE)?;
        Ok(doorbells)
    }

    fn add(&self, doorbell: impl AsFd, id: u64) -> Result<(), Errno> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&self.epoll, doorbell, epoll::EventData::new_u64(id), flags)
    }
}

impl Parking for Doorbells {
    fn watch(&self, doorbell: Option<&Socket>, id: u64) -> Result<(), Errno> {
        doorbell.map_or(Ok(()), |end| self.add(end, id))
    }

    fn forget(&self, doorbell: &Doorbell) {
        if let Some(end) = &*doorbell.end() {
            // An error means that it is not watched, as intended.
            let _ = epoll::delete(&self.epoll, end);
        }
    }

    fn ring(&self) {
        // A full counter means that it has been rung already.
        let _ = rustix::io::write(&self.private, &1_u64.to_ne_bytes());
    }

    /// Sleeps. An interrupted sleep ends early.
    fn sleep(&self, timeout: Option<Duration>, waking: &dyn OnWake) {
        let mut buffer = [const { MaybeUninit::uninit() }; MAX_EVENTS];
        for event in sleep_on(&self.epoll, &mut buffer, timeout) {
            match event.data.u64() {
                PRIVATE => drop(rustix::io::read(&self.private, &mut [0; 8])),
                id => waking.on_ring(id),
            }
        }
    }
}
