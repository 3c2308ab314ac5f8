//! A request about a stream or all events.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use witrpc_transport::{Answer, ChannelError, ClientChannel, Limit};

use crate::call::client::pending_call::PendingCall;
use crate::rt::block_on;

use super::control::{Control, of_what_goes_on};
use super::link_streams::LinkStreams;
use super::wait_permits::{PermitWaiter, Purpose, WaitPermit};

/// Such a request, from its first poll to its answer. Dropping it abandons it.
pub(crate) struct Request {
    streams: Arc<LinkStreams>,
    /// The permit to wait for items, if the request does.
    permit: RequestPermit,
    flight: PendingCall<Arc<dyn ClientChannel>, Limit>,
    is_sent: bool,
    /// Its answer may have been moved aside, so the request must be polled.
    is_aside: bool,
    /// The limit bounds the wait for a permit and a lane, and not the wait for the answer.
    bounds_sending: bool,
    pub(crate) answer: Answer,
}

enum RequestPermit {
    NotNeeded,
    Wanted(Option<PermitWaiter>),
    Here(#[expect(dead_code, reason = "it is held")] WaitPermit),
}

impl Request {
    /// Creates a request that may have to wait for items. It waits for a permit and a lane until the
    /// limit, and then for its answer without one.
    pub(crate) fn for_items(streams: &Arc<LinkStreams>, send_limit: Limit) -> Self {
        let request = Self::new(streams, RequestPermit::Wanted(None), send_limit);
        Self { bounds_sending: true, ..request }
    }

    /// Creates a request that needs no permit.
    pub(crate) fn plain(streams: &Arc<LinkStreams>, limit: Limit) -> Self {
        Self::new(streams, RequestPermit::NotNeeded, limit)
    }

    /// Creates a request that the server answers at once, even while it drains its calls, because the
    /// request belongs to one of them.
    pub(crate) fn continuing(streams: &Arc<LinkStreams>, limit: Limit) -> Self {
        let mut request = Self::plain(streams, limit);
        request.flight.set_continuing();
        request
    }

    /// Creates a [continuing](Self::continuing) request that may wait at the server, if there are spare
    /// lanes.
    pub(crate) fn with_spare_permit(streams: &Arc<LinkStreams>) -> Option<Self> {
        let permit = RequestPermit::Here(streams.share.spare()?);
        let mut request = Self::new(streams, permit, Limit::Never);
        request.flight.set_continuing();
        Some(request)
    }

    /// Sends a request before it is needed, if no other request has to wait for that.
    pub(crate) fn ahead(streams: &Arc<LinkStreams>, control: &Control<'_>) -> Option<Self> {
        let permit = streams.share.spare()?;
        let mut request = Self::new(streams, RequestPermit::Here(permit), Limit::Never);
        let sent = control.with_message(|message| request.flight.try_send(message));
        if !sent.ok()? {
            return None;
        }
        request.is_sent = true;
        request.is_aside = true;
        request.flight.set_aside();
        Some(request)
    }

    fn new(streams: &Arc<LinkStreams>, permit: RequestPermit, limit: Limit) -> Self {
        let flight = PendingCall::new(Arc::clone(&streams.channel), limit);
        let streams = Arc::clone(streams);
        let answer = Answer::default();
        let (is_sent, is_aside, bounds_sending) = (false, false, false);
        Self { streams, permit, flight, is_sent, is_aside, bounds_sending, answer }
    }

    /// Sets the limit from now on.
    pub(crate) fn set_limit(&mut self, limit: Limit) {
        self.flight.set_limit(limit);
    }

    /// Completes when the request is sent. Each poll must be given an equal message.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        control: &Control<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        if let RequestPermit::Wanted(turn) = &mut self.permit {
            let (share, limit) = (&self.streams.share, self.flight.limit());
            let permit = share.poll_permit(Purpose::Items, cx, turn, limit);
            self.permit = RequestPermit::Here(ready!(permit)?);
        }
        if !self.is_sent {
            let sent = control.with_message(|message| self.flight.poll_try_send(cx, message));
            ready!(sent).map_err(of_what_goes_on)?;
            self.is_sent = true;
            if self.bounds_sending {
                self.flight.set_limit(Limit::Never);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Completes when the answer is there, which is then in `answer`.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        control: &Control<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        ready!(self.poll_send(cx, control))?;
        self.poll_answer(cx)
    }

    /// Returns whether it has been sent, so that its message is not needed any more.
    pub(crate) fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Polls for the answer as [`poll`](Self::poll) does, once the request is sent.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        self.flight.poll_answer(cx, &mut self.answer).map_err(of_what_goes_on)
    }

    /// Returns the answer, once it is there.
    pub(crate) fn into_answer(mut self) -> Answer {
        std::mem::take(&mut self.answer)
    }

    /// Blocks the thread until the answer is there.
    pub(crate) fn wait(mut self, control: &Control<'_>) -> Result<Answer, ChannelError> {
        if self.is_aside {
            block_on(|cx| self.poll(cx, control))?;
            return Ok(self.into_answer());
        }
        block_on(|cx| self.poll_send(cx, control))?;
        let mut answer = Answer::default();
        self.flight.wait_answer(&mut answer).map_err(of_what_goes_on)?;
        Ok(answer)
    }
}
