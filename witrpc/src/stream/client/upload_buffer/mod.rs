//! The buffer between the thread that makes items and the thread that pushes them.
//!
//! The *maker* is the caller's thread, which runs the user's iterator. The next item may take any time,
//! so the finished items must not depend on the maker: they wait here. The *pusher* takes all items at
//! once, as soon as its last push has been answered. It takes a batch and leaves an empty one in its
//! place. Adding an item costs the maker a lock that is hardly ever contended, and no wake-up while the
//! pusher is busy. Plain items go without the lock, in a [`run`](crate::stream::run), while the pusher
//! does not wait for them.
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
//! 4. The pusher looks at the batch only after it has taken the run over, so the batch is all that was made.
//! 5. A pusher that waits for an answer has also left its waker, for a [broken](UploadEnd::Broken) end.
//!    New items do not wake it.

#[cfg(test)]
mod model;

use std::mem;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};

use crate::codec::{Batch, Codec, EncodeError, Piece, plain_to_word};
use crate::method::UploadItem;
use crate::rt::block_on;
use crate::rt::primitive::Primitives;
use crate::stream::run::{Added, Run, RunState};

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

/// The buffer: the lock, the state under it, and the plain items that were made without it.
pub struct UploadBuffer<T> {
    state: Mutex<UploadBufferState<T>>,
    run: Run,
}

struct UploadBufferState<T> {
    batch: Batch<T>,
    run: RunState,
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
        Self { state: Mutex::new(UploadBufferState::new()), run: Run::new() }
    }

    /// Adds an item when there is room. Returns `false` when the pusher wants no more.
    ///
    /// # Errors
    ///
    /// The codec cannot encode the item.
    #[inline]
    pub fn put(&self, item: T, codec: Codec) -> Result<bool, EncodeError> {
        if let Some(word) = plain_to_word(&item) {
            match self.run.add(word) {
                Added::Quietly => return Ok(true),
                Added::Wanted => return Ok(self.put_piece(None)),
                Added::Not => {}
            }
        }
        Ok(self.put_piece(Some(item.piece(codec)?)))
    }

    /// Adds an item when there is room, or hands over what the run has.
    fn put_piece(&self, piece: Option<Piece<T>>) -> bool {
        let mut state = lock(&self.state);
        state.end_run(&self.run);
        if piece.is_some() && !state.has_room() {
            drop(state);
            block_on(|cx| {
                let mut waker = Some(cx.waker().clone());
                lock(&self.state).poll_room(&mut waker)
            });
            state = lock(&self.state);
        }
        if state.is_stopped {
            return false;
        }
        let pusher = state.add(piece, &self.run);
        drop(state);
        pusher.into_iter().for_each(wake);
        true
    }

    /// Ends the items.
    pub fn end(&self, end: UploadEnd) {
        let pusher = lock(&self.state).end(end);
        pusher.into_iter().for_each(wake);
    }

    /// Takes all items, in exchange for an empty `batch`. Pending while there are none.
    pub fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch<T>) -> Poll<Found> {
        let mut waker = Some(cx.waker().clone());
        let mut state = lock(&self.state);
        let taken = state.poll_take(&mut waker, batch, &self.run);
        let maker = state.maker.take();
        drop(state);
        maker.into_iter().for_each(wake);
        taken
    }

    /// Returns whether the items were broken off. Wakes when that becomes true.
    pub fn poll_broken(&self, cx: &mut Context<'_>) -> bool {
        let mut waker = Some(cx.waker().clone());
        lock(&self.state).poll_broken(&mut waker)
    }

    /// Stops taking items.
    pub fn stop(&self) {
        let maker = lock(&self.state).stop(&self.run);
        maker.into_iter().for_each(wake);
    }
}

impl<T: UploadItem> UploadBufferState<T> {
    fn new() -> Self {
        Self {
            batch: Batch::new(),
            run: RunState::default(),
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

    /// Takes the items of the run over, and ends it.
    fn end_run<P: Primitives>(&mut self, run: &Run<P>) {
        self.take_run(run);
        run.close(&mut self.run);
    }

    fn take_run<P: Primitives>(&mut self, run: &Run<P>) {
        self.batch.extend_from_words(run.take(&mut self.run));
    }

    /// Adds an item after the run has ended, and begins another run if none is waited for. Returns the
    /// waker to wake for the items.
    fn add<P: Primitives>(&mut self, piece: Option<Piece<T>>, run: &Run<P>) -> Option<Waker> {
        if let Some(piece) = piece {
            self.batch.push(piece);
        }
        if mem::take(&mut self.awaits_items) {
            return self.pusher.take();
        }
        run.open(&mut self.run, self.batch.room_for_numbers());
        None
    }

    fn end(&mut self, end: UploadEnd) -> Option<Waker> {
        self.end = Some(end);
        self.pusher.take()
    }

    /// Takes the batch. That makes room: the caller must wake the maker, if it waits for room.
    fn poll_take<P: Primitives>(
        &mut self,
        waker: &mut Option<Waker>,
        batch: &mut Batch<T>,
        run: &Run<P>,
    ) -> Poll<Found> {
        if self.end == Some(UploadEnd::Broken) {
            return Poll::Ready(Found::Broken);
        }
        let is_last = self.end.is_some();
        self.take_run(run);
        if self.batch.is_empty() && !is_last && run.want(&mut self.run) {
            self.take_run(run);
        }
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

    fn stop<P: Primitives>(&mut self, run: &Run<P>) -> Option<Waker> {
        self.is_stopped = true;
        run.interrupt(&self.run);
        self.maker.take()
    }
}
