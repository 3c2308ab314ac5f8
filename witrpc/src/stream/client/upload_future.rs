//! Sends an upload from a future.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::codec::Batch;
use crate::error::CallError;
use crate::method::UploadItem;

use super::push::{Pusher, Target, not_encoded};

/// An upload that a future sends. It has items made while a push is in flight, and pushes them when
/// that push is answered.
///
/// A stream that is always ready does not delay its items. The first item is sent before the next
/// one is requested. After that, the future checks for the push's answer after the first item, the
/// second, the fourth, and so on. So an item waits only for items that are made while the previous
/// push is in flight, and at most for a full batch. Checking after each item would cost more than
/// most items do.
pub struct UploadFuture<'a, T> {
    target: &'a Target,
    pusher: Pusher<'a, T>,
    /// The items that have been made and not pushed.
    batch: Batch<T>,
    /// The number of items in the batch at which to check for the answer next.
    next_look: usize,
    /// No more items come.
    is_over: bool,
}

impl<'a, T: UploadItem> UploadFuture<'a, T> {
    pub fn new(target: &'a Target) -> Self {
        let pusher = Pusher::new(target);
        Self { target, pusher, batch: Batch::new(), next_look: 1, is_over: false }
    }

    /// Completes when all items have been pushed, or as many as the server wants.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut items: Pin<&mut impl Stream<Item = T>>,
    ) -> Poll<Result<(), CallError>> {
        loop {
            let makes_more = self.poll_items(cx, items.as_mut())?.is_ready();
            if self.pusher.is_idle() {
                if self.batch.is_empty() && !self.is_over {
                    return Poll::Pending;
                }
                self.pusher.begin(&mut self.batch, self.is_over);
            }
            match self.pusher.poll(cx)? {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Ok(())),
                Poll::Pending if makes_more => self.next_look = (2 * self.batch.len()).max(1),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Has items made. Completes when it is time to check the pusher; pending while only the pusher
    /// can proceed.
    fn poll_items(
        &mut self,
        cx: &mut Context<'_>,
        mut items: Pin<&mut impl Stream<Item = T>>,
    ) -> Poll<Result<(), CallError>> {
        let enough = if self.pusher.is_idle() { 1 } else { self.next_look };
        while self.batch.len() < enough {
            if self.is_over || self.batch.is_full() {
                return Poll::Pending;
            }
            match ready!(items.as_mut().poll_next(cx)) {
                Some(item) => {
                    let piece = item.piece(self.target.codec());
                    self.batch.push(piece.map_err(not_encoded)?);
                }
                None => self.is_over = true,
            }
        }
        Poll::Ready(Ok(()))
    }
}
