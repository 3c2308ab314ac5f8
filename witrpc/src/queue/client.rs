//! The client's end of a connection.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use std::{fmt, thread};

use witrpc_transport::{
    Answer, ChannelError, ClientChannel, DisconnectReason, KeptLane, Lessor, Limit, Outgoing, Peer,
    Sending, Ticket,
};

use crate::rt::Timer;

use super::kept::Kept;
use super::link::QueueLink;
use super::server::ServerQueue;
use super::transferred_lease::TransferredLease;
use super::waiter::{CallWaiter, Progress, Waiter};

/// A client's end of a connection.
pub(crate) struct ClientQueue {
    welcome: Vec<u8>,
    link: Arc<QueueLink>,
    server: Weak<ServerQueue>,
    timer: Timer,
}

impl ClientQueue {
    pub(crate) fn new(welcome: Vec<u8>, link: Arc<QueueLink>, server: Weak<ServerQueue>) -> Self {
        Self { welcome, link, server, timer: Timer::default() }
    }

    /// Has a future that waits for a call wake at its limit; `false` if that has passed.
    fn sleep(&self, cx: &Context<'_>, ticket: Ticket, limit: &mut Limit) -> bool {
        let Some(at) = limit.instant() else { return true };
        if at <= Instant::now() {
            return false;
        }
        let alarm = self.timer.arm(at, cx.waker().clone());
        if let Some(former) = self.link.set_alarm(ticket, alarm) {
            self.timer.disarm(former);
        }
        true
    }

    /// Takes back what waiting left behind.
    fn clear(&self, waiting: CallWaiter) {
        if let Some(alarm) = waiting.alarm {
            self.timer.disarm(alarm);
        }
    }

    #[cfg(test)]
    pub(crate) fn leftovers(&self) -> (usize, usize) {
        (self.link.entries(), self.timer.alarms())
    }
}

impl ClientChannel for ClientQueue {
    fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.link.check_len(message.body.len())?;
        self.link.try_send(message)
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
                .link
                .check_len(len)
                .and_then(|()| self.link.send_later(message, sending.continues))
            {
                Ok(ticket) => *sending.ticket.insert(ticket),
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        let sent = match self.link.poll_sent(ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Done(sent, waiting) => {
                self.clear(waiting);
                sent
            }
            Progress::Wait(_former) if self.sleep(cx, ticket, limit) => return Poll::Pending,
            Progress::Wait(_former) => match self.link.take_back(ticket) {
                Some(waiting) => {
                    self.clear(waiting);
                    Err(ChannelError::NoFreeLane)
                }
                // At the last moment: it is for its answer to be late.
                None => Ok(()),
            },
        };
        // Sent or failed, it is no longer a call whose sending could be given up.
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
        match self.link.poll_answer(*ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Done(result, waiting) => {
                self.clear(waiting);
                Poll::Ready(result.map(|arrived| *answer = arrived))
            }
            Progress::Wait(_former) if self.sleep(cx, *ticket, limit) => Poll::Pending,
            Progress::Wait(_former) => {
                self.abandon(*ticket);
                Poll::Ready(Err(ChannelError::TimedOut))
            }
        }
    }

    fn abandon(&self, ticket: Ticket) {
        self.clear(self.link.abandon(ticket));
    }

    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        Some(Box::new(Kept::new(&self.link)))
    }

    fn lanes(&self) -> u32 {
        self.link.lanes()
    }

    fn abandoned(&self) -> u32 {
        self.link.abandoned()
    }

    fn lost(&self) -> Option<ChannelError> {
        self.link.lost()
    }

    fn when_lost(&self, waker: Waker) {
        self.link.when_lost(waker);
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(&TransferredLease)
    }

    fn disconnect(&self) {
        let here = ChannelError::Disconnected(DisconnectReason::ClosedHere);
        self.link.close(here, here);
        if let Some(server) = self.server.upgrade() {
            server.leave(self.link.client().id);
        }
    }
}

impl fmt::Debug for ClientQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientQueue")
            .field("client", self.link.client())
            .field("lost", &self.link.lost())
            .finish_non_exhaustive()
    }
}

impl Drop for ClientQueue {
    fn drop(&mut self) {
        self.disconnect();
    }
}
