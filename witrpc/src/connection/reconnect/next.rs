//! A call's wait for the next link.

use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::Guard;
use witrpc_transport::Limit;

use crate::connection::link::Link;
use crate::error::CallError;
use crate::rt::{Alarm, block_on};

use super::reconnector::{ReconnectPhase, Reconnector};

/// A wait for a link other than the one that was lost.
pub struct Next<'k> {
    reconnector: &'k Reconnector,
    lost: &'k Link,
    /// The key among the waiting calls.
    key: Option<u64>,
    alarm: Option<Alarm>,
}

impl Reconnector {
    /// Waits for a link other than `lost`.
    pub fn next<'k>(&'k self, lost: &'k Link) -> Next<'k> {
        self.nudge();
        Next { reconnector: self, lost, key: None, alarm: None }
    }

    /// Blocks until there is a link other than `lost`.
    ///
    /// # Errors
    ///
    /// As [`Next::poll`].
    pub fn wait_next(&self, lost: &Link, limit: &mut Limit) -> Result<Guard<Arc<Link>>, CallError> {
        let mut next = self.next(lost);
        block_on(|cx| next.poll(cx, limit))
    }
}

impl Next<'_> {
    /// Completes when there is another link, or at the limit.
    ///
    /// # Errors
    ///
    /// The connection has ended, or the time is over.
    pub fn poll(
        &mut self,
        cx: &Context<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Guard<Arc<Link>>, CallError>> {
        self.reconnector.waiting.register(&mut self.key, cx.waker());
        if let Some(settled) = self.look() {
            return Poll::Ready(settled);
        }
        let Some(at) = limit.instant() else { return Poll::Pending };
        let over = self.reconnector.timer.poll_until(at, cx, &mut self.alarm);
        over.map(|()| Err(CallError::NotConnected))
    }

    /// Checks for another link, or the end.
    fn look(&self) -> Option<Result<Guard<Arc<Link>>, CallError>> {
        if let ReconnectPhase::Ended(ended) = &*self.reconnector.phase() {
            return Some(Err(ended.call_error()));
        }
        let link = self.reconnector.link();
        (!ptr::eq(Arc::as_ptr(&link), self.lost)).then_some(Ok(link))
    }
}

impl Drop for Next<'_> {
    fn drop(&mut self) {
        self.reconnector.waiting.leave(&mut self.key);
    }
}
