//! The client's end of a connection.

use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use super::arrivals::Arrivals;
use super::link::{Link, Progress, Waiter, Waiting, receive};
use super::port::Port;
use crate::timer::Timer;
use crate::transport::{
    Answer, ChannelError, ClientChannel, DisconnectReason, Limit, Outgoing, Peer, Request, Sending,
    Ticket,
};

/// A client's end of a connection.
pub(super) struct Channel {
    welcome: Vec<u8>,
    link: Arc<Link>,
    arrivals: Arc<Arrivals>,
    port: Weak<Port>,
    timer: Timer,
}

impl Channel {
    pub(super) fn new(
        welcome: Vec<u8>,
        link: Arc<Link>,
        arrivals: Arc<Arrivals>,
        port: Weak<Port>,
    ) -> Self {
        Self { welcome, link, arrivals, port, timer: Timer::default() }
    }

    fn publish(&self, ticket: Ticket, message: Outgoing<'_>) {
        let peer: Arc<dyn Peer> = Arc::clone(&self.link) as _;
        let payload = receive(message.body);
        let Outgoing { tag, deadline, .. } = message;
        let request = Request { ticket, tag, payload, deadline };
        self.arrivals.publish(peer, request);
    }

    /// Ends one poll of a future: completes it, or sees to it that it wakes at its limit.
    fn settle<T>(
        &self,
        cx: &Context<'_>,
        ticket: Ticket,
        progress: Progress<T>,
        limit: &mut Limit,
        too_late: ChannelError,
    ) -> Poll<Result<T, ChannelError>> {
        match progress {
            Progress::Done(result, waiting) => {
                self.clear(waiting);
                Poll::Ready(result)
            }
            Progress::Wait(_former) => {
                let Some(at) = limit.instant() else { return Poll::Pending };
                if at <= Instant::now() {
                    self.abandon(ticket);
                    return Poll::Ready(Err(too_late));
                }
                let alarm = self.timer.arm(at, cx.waker().clone());
                if let Some(former) = self.link.set_alarm(ticket, alarm) {
                    self.timer.disarm(former);
                }
                Poll::Pending
            }
        }
    }

    /// Takes back what waiting left behind.
    fn clear(&self, waiting: Waiting) {
        if let Some(alarm) = waiting.alarm {
            self.timer.disarm(alarm);
        }
    }

    #[cfg(test)]
    pub(super) fn leftovers(&self) -> (usize, usize) {
        (self.link.entries(), self.timer.alarms())
    }
}

impl ClientChannel for Channel {
    fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.link.check_len(message.body.len())?;
        let ticket = self.link.claim()?;
        if let Some(ticket) = ticket {
            self.publish(ticket, message);
        }
        Ok(ticket)
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        let ticket = match sending.ticket {
            Some(ticket) => ticket,
            None => {
                let len = message.body.len();
                match self.link.check_len(len).and_then(|()| self.link.enqueue()) {
                    Ok(ticket) => *sending.ticket.insert(ticket),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        };
        let waiter = Waiter::Task(cx.waker().clone());
        let progress = self.link.poll_lane(ticket, waiter);
        let lane = self.settle(cx, ticket, progress, limit, ChannelError::NoFreeLane);
        lane.map(|granted| {
            // Sent or failed, it is no longer a call whose sending could be given up.
            sending.ticket = None;
            granted?;
            self.publish(ticket, message);
            sending.written = message.body.len();
            Ok(ticket)
        })
    }

    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        loop {
            match self.link.poll_answer(ticket, Waiter::Thread(thread::current())) {
                Progress::Done(result, waiting) => {
                    self.clear(waiting);
                    return result.map(|arrived| *answer = arrived);
                }
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
        let progress = self.link.poll_answer(*ticket, Waiter::Task(cx.waker().clone()));
        let settled = self.settle(cx, *ticket, progress, limit, ChannelError::TimedOut);
        settled.map_ok(|arrived| *answer = arrived)
    }

    fn abandon(&self, ticket: Ticket) {
        self.clear(self.link.abandon(ticket));
    }

    fn lost(&self) -> Option<ChannelError> {
        self.link.lost()
    }

    fn when_lost(&self, waker: Waker) {
        self.link.when_lost(waker);
    }

    fn disconnect(&self) {
        let reason = DisconnectReason::ClosedHere;
        self.link.close(ChannelError::Disconnected(reason), reason);
        if let Some(port) = self.port.upgrade() {
            port.leave(self.link.client().id);
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("in_process::Channel")
            .field("client", self.link.client())
            .field("lost", &self.link.lost())
            .finish_non_exhaustive()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.disconnect();
    }
}
