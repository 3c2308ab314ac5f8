//! Who sleeps until a call is given up.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use witrpc_rt::lock;

use crate::link::message::Ticket;
use crate::memory::words::Mapped;
use crate::wakeup::epoch::SharedWakeEpoch;

/// Those of one connection who sleep until their calls are given up.
pub(super) struct Cancels {
    pub(super) wake_epoch: SharedWakeEpoch<Mapped>,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
pub(super) struct Watchers {
    pub(super) next_key: u64,
    pub(super) entries: Vec<Watcher>,
}

pub(super) struct Watcher {
    pub(super) key: u64,
    pub(super) ticket: Ticket,
    pub(super) waker: Waker,
}

impl Default for Cancels {
    fn default() -> Self {
        let wake_epoch = SharedWakeEpoch::new(AtomicU64::new(0), Mutex::new(false));
        Self { wake_epoch, watchers: Mutex::default() }
    }
}

impl Cancels {
    pub(super) fn watchers(&self) -> MutexGuard<'_, Watchers> {
        lock(&self.watchers)
    }
}
