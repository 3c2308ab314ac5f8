//! Who sleeps until a call is given up.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use witrpc_rt::lock;

use crate::link::message::Ticket;
use crate::memory::words::Mapped;
use crate::wakeup::epoch::SharedWakeEpoch;

/// Those of one connection who sleep until their calls are given up.
pub struct Cancels {
    pub wake_epoch: SharedWakeEpoch<Mapped>,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
pub struct Watchers {
    pub next_key: u64,
    pub entries: Vec<Watcher>,
}

pub struct Watcher {
    pub key: u64,
    pub ticket: Ticket,
    pub waker: Waker,
}

impl Default for Cancels {
    fn default() -> Self {
        let wake_epoch = SharedWakeEpoch::new(AtomicU64::new(0), Mutex::new(false));
        Self { wake_epoch, watchers: Mutex::default() }
    }
}

impl Cancels {
    pub fn watchers(&self) -> MutexGuard<'_, Watchers> {
        lock(&self.watchers)
    }
}
