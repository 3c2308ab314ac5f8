//! A client's half of a transport.

use std::any::Any;
use std::fmt;
use std::task::{Context, Poll, Waker};

use crate::error::ChannelError;
use crate::lease::Lessor;
use crate::limit::Limit;
use crate::message::{Answer, Outgoing, Ticket};
use crate::short::{Exchange, Short};

/// A send that is under way, across the polls of a future. Starts as `Sending::default()`.
///
/// Dropping it gives up what the transport keeps in `state`.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sending {
    /// The call, once it has a place.
    pub ticket: Option<Ticket>,
    /// How much of the body has gone.
    pub written: usize,
    /// The request belongs to a call that has begun: a server that drains its calls takes it still.
    pub continues: bool,
    /// Whatever else the transport has to remember between polls.
    pub state: Option<Box<dyn Any + Send + Sync>>,
}

impl Sending {
    /// A send whose request belongs to a call that has begun, or begins one.
    #[must_use]
    pub fn new(continues: bool) -> Self {
        Self { continues, ..Self::default() }
    }
}

/// A client's end of a connection. Dropping the last reference to it ends the connection, as
/// [`disconnect`](Self::disconnect) does.
///
/// Any thread may call any method, several at once: blocking clients call them on threads of users, others
/// in polls of futures of users. Only [`wait_answer`](Self::wait_answer) blocks. Wakers are code of users: a
/// transport clones, wakes and drops them with no lock held.
///
/// A caller that stops waiting for a ticket before it is answered says so with [`abandon`](Self::abandon). An
/// answer that has come and is not fetched blocks no other call. It lies at the client, where nothing
/// bounds such answers but how many calls the caller makes without taking their answers.
pub trait ClientChannel: fmt::Debug + Send + Sync {
    /// Returns what the server's [`Admission`](crate::Admission) said. It never changes.
    fn welcome(&self) -> &[u8];

    /// Sends without ever waiting: the path of nearly every call. `None` when there is no free
    /// place or space, or the body needs segments: then [`poll_send`](Self::poll_send). Calls that
    /// wait there come first.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], [`ChannelError::ShuttingDown`] while the server drains, or that the
    /// connection is gone. Nothing was sent.
    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError>;

    /// Sends a short request without a deadline, and looks for its answer for as long as that is likely to
    /// be there before a thread could sleep and wake up. Never sleeps. A transport that has no quicker
    /// way for such calls sends nothing.
    fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        let (_, _) = (tag, body);
        Exchange::NotSent
    }

    /// Sends, waiting for a place, for space and for segments to be taken: the client's back-pressure. To
    /// be polled with the same `sending` and an equal message until it is ready; wakes at `limit` at the
    /// latest. A send that is given up before is told by the drop of `sending`, and by
    /// [`abandon`](Self::abandon) if `sending.ticket` is set.
    ///
    /// A future that is no longer polled must not block other calls for ever: a place that was given to
    /// it goes on to others, or is used without it.
    ///
    /// # Errors
    ///
    /// Why the request was not sent to its end; so the server has not taken it for a call.
    /// [`ChannelError::NoFreeLane`] and [`ChannelError::NoSpace`] say what was short at the limit. While
    /// the server drains, only a message that [continues](Sending::continues) a call is sent.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>>;

    /// Blocks the thread until the answer is there: spins, then parks. It returns at `limit` at the
    /// latest, and when the connection ends, whatever the peer does. Writes the answer to `answer`,
    /// which the caller keeps where the answer is decoded: a short answer is moved only once.
    ///
    /// # Errors
    ///
    /// Why there is none. The ticket is spent then: abandoned or lost with the connection.
    /// [`ChannelError::TimedOut`] at the limit. [`ChannelError::ShuttingDown`] says that the server did not
    /// take the call, and will not.
    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError>;

    /// Looks whether the answer is there. Re-wakes itself while spinning is worth while, then
    /// wakes `cx` when the answer comes, the connection ends, or `limit` passes; only the waker of the last
    /// poll counts. `ticket` may change. After `Ready` the ticket is spent, and the answer, if there is one,
    /// stands in `answer`.
    ///
    /// # Errors
    ///
    /// As [`wait_answer`](Self::wait_answer).
    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>>;

    /// The caller does not look for this call's answer for now. A transport whose space is short may put the
    /// answer elsewhere. From here on the ticket goes to [`poll_answer`](Self::poll_answer) or
    /// [`abandon`](Self::abandon) only.
    fn set_aside(&self, ticket: Ticket) {
        let _ = ticket;
    }

    /// The answer to this call, which was sent just now, may take long: a look for it in vain is not to
    /// be repeated at once.
    fn expect_late(&self, ticket: Ticket) {
        let _ = ticket;
    }

    /// The caller waits for this call no more: it is cancelled, as far as the server looks
    /// ([`Peer::is_cancelled`](crate::Peer::is_cancelled)). Its place comes back when the server has
    /// answered. For a ticket that is spent, and the second time, it does nothing.
    fn abandon(&self, ticket: Ticket);

    /// Returns a place for calls that its holder keeps from one to the next. `None` where there is no such
    /// thing, and each call waits for a place of its own.
    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        None
    }

    /// Returns how many calls can be in flight at once, which never changes: at least 1. The layers above ration
    /// by it what is kept open for long.
    fn lanes(&self) -> u32;

    /// Returns how many of these places hold calls that were [given up](Self::abandon) and have not been
    /// answered yet. A transport that does not count them says 0.
    fn abandoned(&self) -> u32 {
        0
    }

    /// Returns why no call can succeed any more, or `None` while the connection stands. Once it says so, it
    /// always does. A server that drains is not lost.
    fn lost(&self) -> Option<ChannelError>;

    /// Wakes `waker` once when the connection is lost, or at once if it is. A transport that does
    /// not say so lets clients find out by their next call.
    fn when_lost(&self, waker: Waker) {
        drop(waker);
    }

    /// Returns what gives out space that requests can hand over, if the transport has such.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Leaves on purpose: pending calls end with [`ChannelError::Disconnected`], and the threads and futures
    /// that wait for them are woken. It does not wait for the server, and may be called again.
    fn disconnect(&self);
}

/// A place for the calls of one caller, one at a time, which it keeps from one to the next: only the
/// first waits for one, as others do. Dropping it gives the place back, and gives up a call that is
/// unanswered, without waiting.
///
/// One thread at a time has it. Only [`wait_answer`](Self::wait_answer) blocks.
pub trait KeptLane: Send {
    /// Sends a message that takes nothing along, once the answer to the one before has been taken. To
    /// be polled with an equal message until it is ready. It waits for a place the first time, and for
    /// space.
    ///
    /// # Errors
    ///
    /// As [`ClientChannel::poll_send`]; and [`ChannelError::TooLarge`] for a message that needs
    /// segments, which may be sent in another way.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>>;

    /// Blocks the thread until the answer to what was sent is there or the connection has ended. It has no
    /// limit: the server answers what is sent here when it has something to say, which may take for ever.
    ///
    /// # Errors
    ///
    /// Why there is none. The next call may have to wait for another place then.
    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError>;
}
