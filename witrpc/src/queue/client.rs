//! The client's end of a connection.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use std::{fmt, thread};

use witrpc_transport::{
    Answer, ChannelError, ClientChannel, DisconnectReason, KeptLane, Lessor, Limit, Outgoing,
    Sending, TAG_BITS, Ticket,
};

use crate::rt::Timer;

use super::end::End;
use super::in_flight::InFlight;
use super::kept::Kept;
use super::limits::Limits;
use super::outlet::RequestSink;
use super::waiter::{Progress, Waiter};

/// The client's end of a connection, over a transport that moves messages.
///
/// It counts the calls in flight, keeps those that wait for a lane, and wakes their callers when answers
/// arrive. Dropping it [closes](RequestSink::close) the connection.
pub struct ClientQueue {
    welcome: Vec<u8>,
    in_flight: Arc<InFlight>,
    /// The memory that messages may refer to.
    lessor: Option<&'static dyn Lessor>,
    timer: Timer,
}

impl ClientQueue {
    /// Returns the client's end of a connection that the server has accepted with this welcome. The limits are
    /// those of the server; [`max_clients`](Limits::max_clients) has no meaning here. The handle takes what the
    /// server sends.
    #[must_use]
    pub fn new(
        welcome: Vec<u8>,
        limits: Limits,
        sink: impl RequestSink + 'static,
    ) -> (Arc<Self>, AnswerHandle) {
        let in_flight = Arc::new(InFlight::new(limits, Box::new(sink), true));
        let handle = AnswerHandle { in_flight: Arc::clone(&in_flight) };
        (Arc::new(Self::over(welcome, in_flight, None)), handle)
    }

    /// Returns the client's end of these calls.
    pub(crate) fn over(
        welcome: Vec<u8>,
        in_flight: Arc<InFlight>,
        lessor: Option<&'static dyn Lessor>,
    ) -> Self {
        Self { welcome, in_flight, lessor, timer: Timer::default() }
    }

    /// Makes a future that waits for a call wake at its limit. Returns `false` if that has passed.
    fn sleep(&self, cx: &Context<'_>, ticket: Ticket, limit: &mut Limit) -> bool {
        let Some(at) = limit.instant() else { return true };
        if at <= Instant::now() {
            return false;
        }
        drop(self.in_flight.set_alarm(ticket, self.timer.arm(at, cx.waker().clone())));
        true
    }

    #[cfg(test)]
    pub(crate) fn leftovers(&self) -> (usize, usize) {
        (self.in_flight.entries(), self.timer.alarms())
    }
}

impl ClientChannel for ClientQueue {
    fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.in_flight.check_len(message.body.len())?;
        self.in_flight.try_send(message)
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        let len = message.body.len();
        let ticket = match sending.ticket {
            Some(ticket) => ticket,
            None => match self
                .in_flight
                .check_len(len)
                .and_then(|()| self.in_flight.send_later(message, sending.continues))
            {
                Ok(ticket) => *sending.ticket.insert(ticket),
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        let sent = match self.in_flight.poll_sent(ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Done(sent, _waited) => sent,
            Progress::Wait(_former) if self.sleep(cx, ticket, limit) => return Poll::Pending,
            Progress::Wait(_former) => match self.in_flight.take_back(ticket) {
                Some(_waited) => Err(ChannelError::NoFreeLane),
                // Too late to stop it: its answer will be late instead.
                None => Ok(()),
            },
        };
        // Sent or failed, its sending cannot be given up any more.
        sending.ticket = None;
        sending.written = len;
        Poll::Ready(sent.map(|()| ticket))
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        loop {
            match self.in_flight.poll_answer(ticket, Waiter::Thread(thread::current())) {
                Progress::Done(result, _waited) => return result.map(|arrived| *answer = arrived),
                Progress::Wait(_former) => {}
            }
            match limit.instant() {
                None => thread::park(),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        self.abandon(ticket);
                        return Err(ChannelError::TimedOut);
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }

    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        match self.in_flight.poll_answer(*ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Done(result, _waited) => Poll::Ready(result.map(|arrived| *answer = arrived)),
            Progress::Wait(_former) if self.sleep(cx, *ticket, limit) => Poll::Pending,
            Progress::Wait(_former) => {
                self.abandon(*ticket);
                Poll::Ready(Err(ChannelError::TimedOut))
            }
        }
    }

    fn abandon(&self, ticket: Ticket) {
        drop(self.in_flight.abandon(ticket));
    }

    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        Some(Box::new(Kept::new(&self.in_flight)))
    }

    fn lanes(&self) -> u32 {
        self.in_flight.lanes()
    }

    fn abandoned(&self) -> u32 {
        self.in_flight.abandoned()
    }

    fn lost(&self) -> Option<ChannelError> {
        self.in_flight.lost()
    }

    fn when_lost(&self, waker: Waker) {
        self.in_flight.when_lost(waker);
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        self.lessor
    }

    fn disconnect(&self) {
        let here = ChannelError::Disconnected(DisconnectReason::ClosedHere);
        self.in_flight.close(here, here);
        self.in_flight.leave();
    }
}

impl fmt::Debug for ClientQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientQueue")
            .field("lanes", &self.in_flight.lanes())
            .field("lost", &self.in_flight.lost())
            .finish_non_exhaustive()
    }
}

impl Drop for ClientQueue {
    fn drop(&mut self) {
        self.disconnect();
    }
}

/// The client's input: the transport's reader passes on what the server sends. Its methods may be called from
/// any thread and never wait. They wake callers, so they run wakers of users.
///
/// Dropping it reports that the server has [died](End::Died), unless another end was reported before.
pub struct AnswerHandle {
    in_flight: Arc<InFlight>,
}

impl AnswerHandle {
    /// Delivers the answer to a call.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Misbehaved`] if there is no such call, the answer is over the limit, or its tag is out
    /// of range. The transport then [ends](Self::end) the connection. With any other error, the connection has
    /// ended.
    pub fn answer(&self, ticket: Ticket, answer: Answer) -> Result<(), ChannelError> {
        if self.in_flight.check_len(answer.payload.len()).is_err() {
            return Err(ChannelError::Misbehaved("an answer is over the limit"));
        }
        if answer.tag >> TAG_BITS != 0 {
            return Err(ChannelError::Misbehaved("a tag is out of range"));
        }
        self.in_flight.answer(ticket, answer)
    }

    /// Ends a call whose request has certainly not reached the server, as when a broker gives it back. Its caller
    /// gets [`ChannelError::NotDelivered`], and may call again.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Misbehaved`] if there is no such call. With any other error, the connection has ended.
    pub fn undelivered(&self, ticket: Ticket) -> Result<(), ChannelError> {
        self.in_flight.settle(ticket, Err(ChannelError::NotDelivered))
    }

    /// Notes that the server takes no new calls.
    pub fn drain(&self) {
        self.in_flight.drain();
    }

    /// Ends the connection, with all calls in flight and all later ones. The first reason counts.
    pub fn end(&self, end: End) {
        self.in_flight.close(end.pending(), end.later());
    }
}

impl Drop for AnswerHandle {
    fn drop(&mut self) {
        self.end(End::Died);
    }
}

impl fmt::Debug for AnswerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerHandle").field("lost", &self.in_flight.lost()).finish_non_exhaustive()
    }
}
