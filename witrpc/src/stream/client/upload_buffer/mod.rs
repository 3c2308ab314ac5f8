//! The buffer between the thread that makes items and the thread that pushes them.
//!
//! The *maker* is the caller's thread, which runs the user's iterator. The next item may take any time,
//! so the finished items must not depend on the maker: they wait here. The *pusher* takes all items at
//! once, as soon as its last push has been answered. It takes a batch and leaves an empty one in its
//! place. Adding an item costs the maker a lock that is hardly ever contended, and no wake-up while the
//! pusher is busy.
//!
//! # Invariants
//!
//! All of it is under one lock. Neither user code nor a waker runs under that lock.
//!
//! 1. Only the maker adds items and ends them. Only the pusher takes them, and only it stops.
//! 2. The maker waits only while the batch is full and the pusher has not stopped. The pusher waits for
//!    items only while the batch is empty and the items have not ended. So they never wait for each
//!    other.
//! 3. A thread that begins to wait checks the state, and leaves its waker, under one hold of the lock. A
//!    thread that changes the state takes that waker under the lock, and wakes it afterwards. So no
//!    wake-up is lost, and a thread that does not wait gets none.
//! 4. A pusher that waits for an answer has also left its waker, for a [broken](UploadEnd::Broken) end.
//!    New items do not wake it.

#[cfg(test)]
mod model;

use std::mem;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};

use crate::codec::{Batch, Piece};
use crate::method::UploadItem;
use crate::rt::block_on;

/// The end of the items, whole or broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadEnd {
    /// With the last item that was added.
    Whole,
    /// Before the last item: nothing more must be sent.
    Broken,
}

/// The part of the items that a pusher takes from the buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Items, or none if it `is_last`.
    Batch {
        /// No items come after these.
        is_last: bool,
    },
    /// There is nothing more to do.
    Broken,
}

/// The buffer: the lock, and the state under it.
pub struct UploadBuffer<T>(Mutex<UploadBufferState<T>>);

struct UploadBufferState<T> {
    batch: Batch<T>,
    end: Option<UploadEnd>,
    /// The pusher takes no more items.
    is_stopped: bool,
    maker: Option<Waker>,
    pusher: Option<Waker>,
    /// The pusher waits for items, not for an answer.
    awaits_items: bool,
}

impl<T: UploadItem> UploadBuffer<T> {
    pub fn new() -> Self {
        Self(Mutex::new(UploadBufferState::new()))
    }

    /// Adds an item when there is room. Returns `false` when the pusher wants no more.
    pub fn put(&self, piece: Piece<T>) -> bool {
        let mut state = lock(&self.0);
        if !state.has_room() {
            drop(state);
            block_on(|cx| {
                let mut waker = Some(cx.waker().clone());
                lock(&self.0).poll_room(&mut waker)
            });
            state = lock(&self.0);
        }
        if state.is_stopped {
            return false;
        }
        let pusher = state.add(piece);
        drop(state);
        pusher.into_iter().for_each(wake);
        true
    }

    /// Ends the items.
    pub fn end(&self, end: UploadEnd) {
        let pusher = lock(&self.0).end(end);
        pusher.into_iter().for_each(wake);
    }

    /// Takes all items, in exchange for an empty `batch`. Pending while there are none.
    pub fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch<T>) -> Poll<Found> {
        let mut waker = Some(cx.waker().clone());
        let mut state = lock(&self.0);
        let taken = state.poll_take(&mut waker, batch);
        let maker = state.maker.take();
        drop(state);
        maker.into_iter().for_each(wake);
        taken
    }

    /// Returns whether the items were broken off. Wakes when that becomes true.
    pub fn poll_broken(&self, cx: &mut Context<'_>) -> bool {
        let mut waker = Some(cx.waker().clone());
        lock(&self.0).poll_broken(&mut waker)
    }

    /// Stops taking items.
    pub fn stop(&self) {
        let maker = lock(&self.0).stop();
        maker.into_iter().for_each(wake);
    }
}

impl<T: UploadItem> UploadBufferState<T> {
    fn new() -> Self {
        Self {
            batch: Batch::new(),
            end: None,
            is_stopped: false,
            maker: None,
            pusher: None,
            awaits_items: false,
        }
    }

    /// Returns whether the maker need not wait: there is room, or the pusher has stopped.
    fn has_room(&self) -> bool {
        !self.batch.is_full() || self.is_stopped
    }

    /// Completes when the maker need not wait. Swaps the maker's waker with the former one, which the
    /// caller must drop without the lock. The pusher's polls do the same.
    fn poll_room(&mut self, waker: &mut Option<Waker>) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        mem::swap(&mut self.maker, waker);
        Poll::Pending
    }

    /// Adds an item. Returns the waker to wake for it.
    fn add(&mut self, piece: Piece<T>) -> Option<Waker> {
        self.batch.push(piece);
        if mem::take(&mut self.awaits_items) { self.pusher.take() } else { None }
    }

    fn end(&mut self, end: UploadEnd) -> Option<Waker> {
        self.end = Some(end);
        self.pusher.take()
    }

    /// Takes the batch. That makes room: the caller must wake the maker, if it waits for room.
    fn poll_take(&mut self, waker: &mut Option<Waker>, batch: &mut Batch<T>) -> Poll<Found> {
        if self.end == Some(UploadEnd::Broken) {
            return Poll::Ready(Found::Broken);
        }
        let is_last = self.end.is_some();
        if self.batch.is_empty() && !is_last {
            mem::swap(&mut self.pusher, waker);
            self.awaits_items = true;
            return Poll::Pending;
        }
        mem::swap(&mut self.batch, batch);
        Poll::Ready(Found::Batch { is_last })
    }

    fn poll_broken(&mut self, waker: &mut Option<Waker>) -> bool {
        let is_broken = self.end == Some(UploadEnd::Broken);
        if !is_broken {
            mem::swap(&mut self.pusher, waker);
            self.awaits_items = false;
        }
        is_broken
    }

    fn stop(&mut self) -> Option<Waker> {
        self.is_stopped = true;
        self.maker.take()
    }
}
