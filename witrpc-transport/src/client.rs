//! A client's half of a transport.

use std::any::Any;
use std::fmt;
use std::task::{Context, Poll, Waker};

use crate::error::ChannelError;
use crate::lease::Lessor;
use crate::limit::Limit;
use crate::message::{Answer, Outgoing, Ticket};
use crate::short::{Exchange, Short, ShortAnswer};

/// A send in progress, across the polls of a future. Starts as `Sending::default()`.
///
/// Dropping it gives up what the transport keeps in `state`.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sending {
    /// The call, once it has a place.
    pub ticket: Option<Ticket>,
    /// How many bytes of the body have gone.
    pub written: usize,
    /// The request belongs to a call that has begun: a server that drains its calls still takes it.
    pub continues: bool,
    /// Other state that the transport keeps between polls.
    pub state: Option<Box<dyn Any + Send + Sync>>,
}

impl Sending {
    /// Returns a send whose request belongs to a call that has begun (`continues`), or begins one.
    #[must_use]
    pub fn new(continues: bool) -> Self {
        Self { continues, ..Self::default() }
    }
}

/// A client's end of a connection. Dropping the last reference to it ends the connection, as
/// [`disconnect`](Self::disconnect) does.
///
/// Any thread may call any method, several at once. Blocking clients call them on threads of users, other
/// clients in polls of users' futures. Only [`wait_answer`](Self::wait_answer) blocks. Wakers are user code: a
/// transport clones, wakes and drops them without a lock.
///
/// A caller that stops waiting for a ticket before it is answered must [`abandon`](Self::abandon) it. An answer
/// that has come and is not fetched blocks no other call. It stays in the client's memory. Such answers are
/// bounded only by how many calls the caller makes without taking the answers.
pub trait ClientChannel: fmt::Debug + Send + Sync {
    /// Returns the welcome of the server's [`Admission`](crate::Admission). It never changes.
    fn welcome(&self) -> &[u8];

    /// Sends without ever waiting: the path of nearly every call. Returns `None` when there is no free place or
    /// space, or the body needs segments. Then use [`poll_send`](Self::poll_send), where calls that already
    /// wait come first.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], [`ChannelError::ShuttingDown`] while the server drains, or an error for a
    /// connection that is gone. Nothing was sent.
    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError>;

    /// Sends a short request without a deadline, and looks for its answer. It stops after about the time that a
    /// thread needs to sleep and wake up. Never sleeps. A transport that has no quicker way for such calls
    /// sends nothing.
    fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        let (_, _) = (tag, body);
        Exchange::NotSent
    }

    /// Sends a short request without a deadline, for a future, which then calls
    /// [`poll_short`](Self::poll_short). `None` when nothing was sent, as by a transport that has no quicker
    /// way for such requests.
    fn send_short(&self, tag: u32, body: &Short) -> Option<Ticket> {
        let (_, _) = (tag, body);
        None
    }

    /// Looks for the short answer to a request that [`send_short`](Self::send_short) has sent. Wakes the
    /// task again for as long as the answer is likely to be there before the task could sleep and wake up.
    /// `None` when it is not there by then, or is no short one: then [`poll_answer`](Self::poll_answer).
    fn poll_short(&self, cx: &mut Context<'_>, ticket: Ticket) -> Poll<Option<ShortAnswer>> {
        let (_, _) = (cx, ticket);
        Poll::Ready(None)
    }

    /// Does for a request that is not short what [`exchange_short`](Self::exchange_short) does for a short
    /// one. The request has no deadline. Nothing is sent if it needs space that other requests may wait for.
    fn exchange(&self, message: Outgoing<'_>) -> Exchange {
        let _ = message;
        Exchange::NotSent
    }

    /// Sends, and waits for a place, for space and for segments to be taken: this is the client's
    /// back-pressure. To be polled with the same `sending` and an equal message until it is ready. Wakes at
    /// `limit` at the latest. To give the send up, drop `sending`, and call [`abandon`](Self::abandon) if
    /// `sending.ticket` is set.
    ///
    /// A future that is not polled any more must not block other calls for ever. A place that was given to it
    /// goes on to others, or is used without it.
    ///
    /// # Errors
    ///
    /// The reason why the request was not sent completely; the server has not taken it for a call.
    /// [`ChannelError::NoFreeLane`] and [`ChannelError::NoSpace`] name what was short at the limit. While the
    /// server drains, only a message that [continues](Sending::continues) a call is sent.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>>;

    /// Blocks the thread until the answer is there: spins, then parks. It returns at `limit` at the latest, and
    /// when the connection ends, whatever the peer does. Writes the answer to `answer`, which the caller keeps
    /// where the answer is decoded. So a short answer is moved only once.
    ///
    /// # Errors
    ///
    /// The reason why there is no answer. The ticket is spent then: abandoned, or lost with the connection.
    /// [`ChannelError::TimedOut`] at the limit. [`ChannelError::ShuttingDown`] means that the server has not
    /// taken the call, and will not.
    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError>;

    /// Checks whether the answer is there. Re-wakes itself while a spin is worthwhile. Then it wakes `cx` when
    /// the answer comes, the connection ends, or `limit` passes. Only the waker of the last poll counts.
    /// `ticket` may change. After `Ready` the ticket is spent, and the answer, if there is one, is in `answer`.
    ///
    /// # Errors
    ///
    /// Those of [`wait_answer`](Self::wait_answer).
    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>>;

    /// Notes that the caller does not look for this call's answer for now. A transport that is short of space
    /// may put the answer elsewhere. From here on the ticket goes only to [`poll_answer`](Self::poll_answer) or
    /// [`abandon`](Self::abandon).
    fn set_aside(&self, ticket: Ticket) {
        let _ = ticket;
    }

    /// Notes that the answer to this call, which was sent just now, may take long. A look for it in vain should
    /// not be repeated at once.
    fn expect_late(&self, ticket: Ticket) {
        let _ = ticket;
    }

    /// Gives the call up: its caller does not wait any more. The server sees it as cancelled when it checks
    /// ([`Peer::is_cancelled`](crate::Peer::is_cancelled)). Its place comes back when the server has answered.
    /// For a ticket that is spent, and the second time, this does nothing.
    fn abandon(&self, ticket: Ticket);

    /// Returns a place for calls that its holder keeps from one call to the next. Returns `None` if the
    /// transport has none, and each call waits for a separate place.
    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        None
    }

    /// Returns how many calls can be in flight at once, at least 1. It never changes. The layers above ration
    /// by it what they keep open for long.
    fn lanes(&self) -> u32;

    /// Returns how many of these places hold calls that were [given up](Self::abandon) and are not answered
    /// yet. A transport that does not count them returns 0.
    fn abandoned(&self) -> u32 {
        0
    }

    /// Returns why no call can succeed any more, or `None` while the connection stands. A lost connection stays
    /// lost. A server that drains is not lost.
    fn lost(&self) -> Option<ChannelError>;

    /// Wakes `waker` once when the connection is lost, or at once if it is. If a transport does not implement
    /// this, clients find out by their next call.
    fn when_lost(&self, waker: Waker) {
        drop(waker);
    }

    /// Returns the lessor of space that requests can hand over, if the transport has one.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Closes the connection on purpose. Pending calls end with [`ChannelError::Disconnected`], and the threads
    /// and futures that wait for them are woken. It does not wait for the server, and may be called again.
    fn disconnect(&self);
}

/// A place for the calls of one caller, one at a time, kept from one call to the next. Only the first call
/// waits for the place, as other calls do. Dropping it gives the place back, and gives up an unanswered call,
/// without waiting.
///
/// One thread at a time uses it. Only [`wait_answer`](Self::wait_answer) blocks.
pub trait KeptLane: Send {
    /// Sends a message that takes nothing along, once the answer to the one before has been taken. To be polled
    /// with an equal message until it is ready. It waits for a place the first time, and for space.
    ///
    /// # Errors
    ///
    /// Those of [`ClientChannel::poll_send`]. [`ChannelError::TooLarge`] for a message that needs segments,
    /// which may be sent in another way.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>>;

    /// Blocks the thread until the answer is there or the connection has ended. It has no limit: the server
    /// answers when it has something to report, which may take for ever.
    ///
    /// # Errors
    ///
    /// The reason why there is no answer. The next call may have to wait for another place then.
    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError>;
}
