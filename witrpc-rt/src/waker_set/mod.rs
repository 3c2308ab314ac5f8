//! Tasks that wait for the same thing.
//!
//! # Invariants
//!
//! 1. Wakers are foreign code: cloning, waking or dropping one may run a task that calls this again. So all of
//!    that happens without the lock. `changed` returns what a change under the lock takes out.
//! 2. No wake-up is lost. A task registers, and then checks whether it has to wait. The event that ends the
//!    wait comes first, then the tasks are woken. Both take the lock: either the task is found there, or it
//!    finds the event.
//! 3. [`is_empty`](WakerSet::is_empty) takes no lock. A caller that uses it to save a wake-up has ended the
//!    wait under another lock, under which tasks check too. So either the task finds that, or it has registered
//!    before, and is seen.
//!
//! No key is used twice, so a late removal affects no other task.

#[cfg(test)]
mod model;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
#[cfg(not(test))]
use std::sync::{Mutex, atomic::AtomicUsize};
use std::task::{Context, Poll, Waker};
use std::{mem, process};

#[cfg(test)]
use loom::sync::{Mutex, atomic::AtomicUsize};

use crate::wake;

/// The wakers of tasks that wait for the same thing, each with a label to select it by.
#[derive(Debug)]
pub struct WakerSet<L = ()> {
    /// The number of wakers, readable without the lock.
    len: AtomicUsize,
    entries: Mutex<Entries<L>>,
}

#[derive(Debug)]
struct Entries<L> {
    last_key: u64,
    wakers: BTreeMap<u64, (L, Waker)>,
}

impl<L> Entries<L> {
    fn new_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }
}

impl<L> Default for WakerSet<L> {
    fn default() -> Self {
        let entries = Entries { last_key: 0, wakers: BTreeMap::new() };
        Self { len: AtomicUsize::new(0), entries: Mutex::new(entries) }
    }
}

impl<L> WakerSet<L> {
    /// Registers a waker, and returns the key that removes it. The caller then checks whether to wait.
    pub fn add(&self, label: L, waker: &Waker) -> u64 {
        let waker = waker.clone();
        self.changed(|entries| {
            let key = entries.new_key();
            entries.wakers.insert(key, (label, waker));
            key
        })
    }

    /// Removes a waker, unless it has been woken.
    pub fn remove(&self, key: u64) {
        drop(self.changed(|entries| entries.wakers.remove(&key)));
    }

    /// Wakes all, and removes them.
    pub fn wake_all(&self) {
        let woken = self.changed(|entries| mem::take(&mut entries.wakers));
        woken.into_values().for_each(|(_, waker)| wake(waker));
    }

    /// Wakes and removes those whose label `is_meant` selects. Returns whether others remain. `is_meant` runs
    /// under the lock.
    pub fn wake_if(&self, is_meant: impl Fn(&L) -> bool) -> bool {
        let (woken, others) = self.changed(|Entries { wakers, .. }| {
            let meant = wakers.iter().filter(|(_, (label, _))| is_meant(label));
            let keys: Vec<u64> = meant.map(|(key, _)| *key).collect();
            let woken: Vec<_> = keys.iter().filter_map(|key| wakers.remove(key)).collect();
            (woken, !wakers.is_empty())
        });
        woken.into_iter().for_each(|(_, waker)| wake(waker));
        others
    }

    /// Returns whether no task is registered: see the third invariant.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many wakers are registered.
    pub fn len(&self) -> usize {
        self.len.load(SeqCst)
    }

    fn changed<R>(&self, change: impl FnOnce(&mut Entries<L>) -> R) -> R {
        // Not by `lock`, which does not take a lock of a model.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut entries);
        self.len.store(entries.wakers.len(), SeqCst);
        result
    }
}

impl WakerSet {
    /// Registers a task's waker, and replaces the one of its poll before. The caller then checks whether to
    /// wait. When the task stops waiting, it [leaves](Self::leave).
    pub fn register(&self, key: &mut Option<u64>, waker: &Waker) {
        let waker = waker.clone();
        let former = self.changed(|entries| {
            let key = *key.get_or_insert_with(|| entries.new_key());
            entries.wakers.insert(key, ((), waker))
        });
        drop(former);
    }

    /// Removes a task's waker, if it has registered one.
    pub fn leave(&self, key: &mut Option<u64>) {
        key.take().into_iter().for_each(|key| self.remove(key));
    }

    /// Waits until `is_so` holds. The code that makes it hold must [wake all](Self::wake_all) afterwards.
    pub async fn until(&self, is_so: impl Fn() -> bool) {
        let mut wait = Wait { set: self, key: None, process: process::id() };
        poll_fn(|cx| wait.poll(cx, &is_so)).await;
    }
}

/// The wait of one task until all are woken. Dropping it removes its waker.
struct Wait<'a> {
    set: &'a WakerSet,
    key: Option<u64>,
    process: u32,
}

impl Wait<'_> {
    fn poll(&mut self, cx: &Context<'_>, is_so: impl Fn() -> bool) -> Poll<()> {
        if is_so() {
            return Poll::Ready(());
        }
        self.set.register(&mut self.key, cx.waker());
        if is_so() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        // In a forked child, the lock may be held by a thread that does not exist there.
        if self.key.is_some() && process::id() == self.process {
            self.set.leave(&mut self.key);
        }
    }
}
