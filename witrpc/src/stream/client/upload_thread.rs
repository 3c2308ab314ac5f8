//! Sends an upload from a thread that blocks.
//!
//! One thread has the items made, another pushes the items made so far. So no item waits for the next
//! one, which may take any time, and items that are made quickly share a message.

use std::panic::resume_unwind;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, ready};
use std::thread;

use crate::codec::Batch;
use crate::error::CallError;
use crate::method::UploadItem;
use crate::rt::cancel_token::TokenWatch;
use crate::rt::{block_on, spawn_scoped};

use super::push::{Pusher, Target, not_encoded};
use super::upload_buffer::{Found, UploadBuffer, UploadEnd};

/// An upload that has been sent, and its outcome.
pub struct SentUpload {
    pub target: Arc<Target>,
    pub ended: Result<(), CallError>,
}

/// Opens an upload, and pushes all items, or as many as the server wants.
///
/// # Errors
///
/// [`CallError::NoThread`], before the upload is opened; or the error of `open`.
pub fn upload<T: UploadItem>(
    items: impl Iterator<Item = T>,
    open: impl FnOnce() -> Result<Target, CallError>,
) -> Result<SentUpload, CallError> {
    let exchange = &UploadBuffer::new();
    thread::scope(|scope| {
        let (opened, target) = mpsc::sync_channel::<Arc<Target>>(1);
        let push = move || match target.recv() {
            Ok(target) => UploadThread::new(&target, exchange).run(),
            // The upload was not opened.
            Err(mpsc::RecvError) => Ok(()),
        };
        // Started first, so that a call without a thread is not begun.
        let pusher = spawn_scoped(scope, "witrpc-feed", push)
            .map_err(|error| CallError::NoThread { message: error.to_string() })?;
        let target = Arc::new(open()?);
        opened.send(Arc::clone(&target)).expect("the pusher waits for it");
        let made = make(items, &target, exchange);
        let pushed = pusher.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok(SentUpload { target, ended: made.and(pushed) })
    })
}

/// Has the items made and hands them to the pusher, until the pusher stops.
fn make<T: UploadItem>(
    items: impl Iterator<Item = T>,
    target: &Target,
    exchange: &UploadBuffer<T>,
) -> Result<(), CallError> {
    /// A guard that ends the items, even if making an item panics.
    struct Ends<'e, T: UploadItem>(&'e UploadBuffer<T>, UploadEnd);
    impl<T: UploadItem> Drop for Ends<'_, T> {
        fn drop(&mut self) {
            self.0.end(self.1);
        }
    }

    let mut ends = Ends(exchange, UploadEnd::Broken);
    for item in items {
        if !exchange.put(item, target.codec()).map_err(not_encoded)? {
            break;
        }
    }
    ends.1 = UploadEnd::Whole;
    Ok(())
}

/// How often the pusher yields while the channel has it spin for an answer: the maker may need this
/// processor. It yields at the first failed check, and then after every `YIELD_EVERY` checks, which
/// take some microseconds. It does not yield at each check, because the channel relies on short
/// checks.
const YIELD_EVERY: u32 = 64;

/// The thread that pushes.
struct UploadThread<'a, T: UploadItem> {
    target: &'a Target,
    exchange: &'a UploadBuffer<T>,
    pusher: Pusher<'a, T>,
    /// An empty batch, for the next exchange.
    spare: Batch<T>,
    cancelled: Option<TokenWatch>,
    /// The number of failed checks for the answer to the current push.
    looks: u32,
}

impl<'a, T: UploadItem> UploadThread<'a, T> {
    fn new(target: &'a Target, exchange: &'a UploadBuffer<T>) -> Self {
        let cancelled = target.watch_token();
        let (pusher, spare) = (Pusher::new(target), Batch::new());
        Self { target, exchange, pusher, spare, cancelled, looks: 0 }
    }

    /// Pushes all items, up to the end.
    fn run(mut self) -> Result<(), CallError> {
        block_on(|cx| {
            let polled = self.poll(cx);
            if polled.is_pending() {
                if self.looks.is_multiple_of(YIELD_EVERY) {
                    thread::yield_now();
                }
                self.looks = self.looks.wrapping_add(1);
            }
            polled
        })
    }

    /// Completes when there is nothing left to push.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        loop {
            if self.cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            ready!(self.target.poll_clock(cx))?;
            if !self.pusher.is_idle() {
                if self.exchange.poll_broken(cx) {
                    return Poll::Ready(Ok(()));
                }
                if !ready!(self.pusher.poll(cx))? {
                    return Poll::Ready(Ok(()));
                }
            }
            match ready!(self.exchange.poll_take(cx, &mut self.spare)) {
                Found::Batch { is_last } => {
                    self.pusher.begin(&mut self.spare, is_last);
                    self.looks = 0;
                }
                Found::Broken => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Stops the upload however the pushing ends, so that the maker does not wait for it.
impl<T: UploadItem> Drop for UploadThread<'_, T> {
    fn drop(&mut self) {
        self.exchange.stop();
    }
}
