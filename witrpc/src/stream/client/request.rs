//! A request about a stream or all events.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use witrpc_transport::{Answer, ChannelError, ClientChannel, Limit};

use crate::call::client::pending_call::PendingCall;
use crate::rt::block_on;

use super::control::{Control, of_what_goes_on};
use super::wait_permits::{PermitWaiter, Purpose, WaitPermit, WaitPermits};

/// The lanes of a link, and the permits to hold one of them for long.
pub struct StreamLanes {
    pub channel: Arc<dyn ClientChannel>,
    pub permits: Arc<WaitPermits>,
}

/// A request about a stream or all events, from its first poll to its answer. Dropping it abandons
/// it.
pub struct Request {
    /// The permit to wait at the server, if the request does.
    permit: RequestPermit,
    pub pending_call: PendingCall<Arc<dyn ClientChannel>, Limit>,
    /// Whether its answer may have been moved aside, so that the request must be polled.
    is_aside: bool,
    /// Whether the limit bounds only the wait for a permit and a lane, and not the wait for the
    /// answer.
    bounds_sending: bool,
    pub answer: Answer,
}

enum RequestPermit {
    NotNeeded,
    Wanted(Arc<WaitPermits>, Purpose, Option<PermitWaiter>),
    Here(#[expect(dead_code, reason = "it is held")] WaitPermit),
}

impl RequestPermit {
    fn wanted(lanes: &StreamLanes, purpose: Purpose) -> Self {
        Self::Wanted(Arc::clone(&lanes.permits), purpose, None)
    }
}

impl Request {
    /// Creates a request that may have to wait for items. The limit bounds the wait for a permit
    /// and a lane. The wait for its answer has no limit.
    pub fn for_items(lanes: &StreamLanes, send_limit: Limit) -> Self {
        let permit = RequestPermit::wanted(lanes, Purpose::Items);
        Self { permit, bounds_sending: true, ..Self::plain(lanes, send_limit) }
    }

    /// Creates a [continuing](Self::continuing) request that waits for notices of uploads. Its
    /// limit is as in [`for_items`](Self::for_items).
    pub fn for_notices(lanes: &StreamLanes) -> Self {
        let permit = RequestPermit::wanted(lanes, Purpose::Notices);
        Self { permit, bounds_sending: true, ..Self::continuing(lanes, Limit::Never) }
    }

    /// Creates a request that needs no permit.
    pub fn plain(lanes: &StreamLanes, limit: Limit) -> Self {
        let pending_call = PendingCall::new(Arc::clone(&lanes.channel), limit);
        let (permit, answer) = (RequestPermit::NotNeeded, Answer::default());
        Self { permit, pending_call, is_aside: false, bounds_sending: false, answer }
    }

    /// Creates a request that the server answers at once, even while it drains its calls, because the
    /// request belongs to one of them.
    pub fn continuing(lanes: &StreamLanes, limit: Limit) -> Self {
        let mut request = Self::plain(lanes, limit);
        request.pending_call.set_continuing();
        request
    }

    /// Creates a [continuing](Self::continuing) request that may wait at the server, if there are spare
    /// lanes.
    pub fn with_spare_permit(lanes: &StreamLanes) -> Option<Self> {
        let permit = RequestPermit::Here(lanes.permits.try_acquire_spare()?);
        Some(Self { permit, ..Self::continuing(lanes, Limit::Never) })
    }

    /// Sends a request before it is needed, unless that would make another request wait.
    pub fn ahead(lanes: &StreamLanes, control: &Control<'_>) -> Option<Self> {
        let permit = RequestPermit::Here(lanes.permits.try_acquire_spare()?);
        let mut request = Self { permit, is_aside: true, ..Self::plain(lanes, Limit::Never) };
        let sent = control.with_message(|message| request.pending_call.try_send(message));
        if !sent.ok()? {
            return None;
        }
        request.pending_call.set_aside();
        Some(request)
    }

    /// Completes when the request is sent. Each poll must be given an equal message.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        control: &Control<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        if self.pending_call.is_sent() {
            return Poll::Ready(Ok(()));
        }
        if let RequestPermit::Wanted(permits, purpose, waiter) = &mut self.permit {
            let permit = permits.poll_permit(*purpose, cx, waiter, self.pending_call.limit());
            self.permit = RequestPermit::Here(ready!(permit)?);
        }
        let sent = control.with_message(|message| self.pending_call.poll_try_send(cx, message));
        ready!(sent).map_err(of_what_goes_on)?;
        if self.bounds_sending {
            self.pending_call.set_limit(Limit::Never);
        }
        Poll::Ready(Ok(()))
    }

    /// Completes when the answer has arrived in `answer`.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        control: &Control<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        ready!(self.poll_send(cx, control))?;
        self.poll_answer(cx)
    }

    /// Polls for the answer as [`poll`](Self::poll) does, once the request is sent.
    pub fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        self.pending_call.poll_answer(cx, &mut self.answer).map_err(of_what_goes_on)
    }

    /// Blocks the thread until the answer is there.
    pub fn wait(mut self, control: &Control<'_>) -> Result<Answer, ChannelError> {
        if self.is_aside {
            block_on(|cx| self.poll(cx, control))?;
        } else {
            block_on(|cx| self.poll_send(cx, control))?;
            self.pending_call.wait_answer(&mut self.answer).map_err(of_what_goes_on)?;
        }
        Ok(self.answer)
    }
}
