//! Where a thread that has items made leaves them for the one that pushes them.
//!
//! The *maker* is the caller's thread, which runs the user's iterator: nobody knows how long the next
//! item takes. So what has been made must not depend on it, and lies here. The *pusher* takes all that
//! lies here at once, as soon as its last push has been answered. What is handed over is a batch, and
//! an empty one comes back in its place; to add an item costs the maker a lock that is hardly ever
//! contended, and no wake-up while the pusher is busy.
//!
//! # Invariants
//!
//! All of it stands under one lock, under which no code of the user's runs, nor that of wakers.
//!
//! 1. The maker alone adds items and ends them; the pusher alone takes them, and alone stops.
//! 2. The maker waits only while the batch is full and the pusher has not stopped; the pusher waits
//!    for items only while there are none and no end. So they never wait for each other.
//! 3. Who waits has looked, and leaves its waker, under one hold of the lock. Who changes what the
//!    other waits for takes that waker under the lock, and wakes it after. So no wake-up is lost, and
//!    there is none for nobody.
//! 4. A pusher that waits for an answer has left its waker as well, for the end that is
//!    [broken](UploadEnd::Broken), and is not woken for items.

#[cfg(test)]
mod model;

use std::mem;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};

use crate::codec::{Batch, Piece, Wire};
use crate::rt::block_on;

/// How the items end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadEnd {
    /// With the last one that was added.
    Whole,
    /// Before the last one: nothing is to be sent any more.
    Broken,
}

/// What a pusher finds.
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

/// The lock, and what is under it.
pub struct UploadBuffer<T>(Mutex<UploadBufferState<T>>);

struct UploadBufferState<T> {
    batch: Batch<T>,
    end: Option<UploadEnd>,
    /// The pusher takes no more.
    is_stopped: bool,
    maker: Option<Waker>,
    pusher: Option<Waker>,
    /// The pusher waits for items, not for an answer.
    awaits_items: bool,
}

impl<T: Wire> UploadBuffer<T> {
    pub fn new() -> Self {
        Self(Mutex::new(UploadBufferState::new()))
    }

    /// Adds an item, when there is room; `false` when no more are wanted.
    pub fn put(&self, piece: Piece<T>) -> bool {
        let mut state = self.lock();
        if !state.has_room() {
            drop(state);
            block_on(|cx| {
                let mut waker = Some(cx.waker().clone());
                self.lock().poll_room(&mut waker)
            });
            state = self.lock();
        }
        if state.is_stopped {
            return false;
        }
        let pusher = state.add(piece);
        drop(state);
        pusher.into_iter().for_each(wake);
        true
    }

    /// No more items come.
    pub fn end(&self, end: UploadEnd) {
        let pusher = self.lock().end(end);
        pusher.into_iter().for_each(wake);
    }

    /// Takes all there is, for which it gives an empty `batch`; waits while there is nothing.
    pub fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch<T>) -> Poll<Found> {
        let mut waker = Some(cx.waker().clone());
        let mut state = self.lock();
        let taken = state.poll_take(&mut waker, batch);
        let maker = state.maker.take();
        drop(state);
        maker.into_iter().for_each(wake);
        taken
    }

    /// Whether there is nothing more to do; wakes when that comes to be.
    pub fn poll_broken(&self, cx: &mut Context<'_>) -> bool {
        let mut waker = Some(cx.waker().clone());
        self.lock().poll_broken(&mut waker)
    }

    /// No more items are taken.
    pub fn stop(&self) {
        let maker = self.lock().stop();
        maker.into_iter().for_each(wake);
    }

    fn lock(&self) -> MutexGuard<'_, UploadBufferState<T>> {
        lock(&self.0)
    }
}

impl<T: Wire> UploadBufferState<T> {
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

    /// Whether the maker need not wait: also when no more are taken.
    fn has_room(&self) -> bool {
        !self.batch.is_full() || self.is_stopped
    }

    /// Leaves the former waker in place of the maker's, to be dropped without the lock. The pusher's polls
    /// do the same.
    fn poll_room(&mut self, waker: &mut Option<Waker>) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        mem::swap(&mut self.maker, waker);
        Poll::Pending
    }

    /// Whom to wake for it is returned.
    fn add(&mut self, piece: Piece<T>) -> Option<Waker> {
        self.batch.push(piece);
        if mem::take(&mut self.awaits_items) { self.pusher.take() } else { None }
    }

    fn end(&mut self, end: UploadEnd) -> Option<Waker> {
        self.end = Some(end);
        self.pusher.take()
    }

    /// What is taken leaves room: whoever waits for that is to be woken.
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
