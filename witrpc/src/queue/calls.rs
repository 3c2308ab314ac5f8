//! The calls of one connection: which lanes they hold, and who waits for what.
//!
//! # Invariants
//!
//! 1. While the connection stands, `lanes_taken` counts the calls that are sent and unanswered, given up
//!    or not, and the lanes that stay with their senders. It is never above the limit.
//! 2. While the connection stands, a call is in `queue` exactly while it is [`Call::Queued`], and once.
//!    Once it is closed, `queue` is empty.
//! 3. Once the connection is closed, no call is [`Call::Abandoned`]: no answer would take it away.

use std::collections::{HashMap, VecDeque};

use witrpc_transport::{Answer, ChannelError, Request, Ticket};

use super::waiter::{CallWaiter, Waiter};

/// What is known of the calls of one connection.
#[derive(Default)]
pub struct QueueState {
    pub calls: HashMap<u64, Call>,
    last_seq: u64,
    /// Calls that wait for a lane, oldest first.
    pub queue: VecDeque<u64>,
    pub lanes_taken: u32,
    /// Calls whose lane stays with their sender after the answer: one of each [`Kept`](super::kept::Kept).
    pub kept: Vec<u64>,
    /// The server takes nothing new.
    pub draining: bool,
    pub closed: Option<Closed>,
}

/// How a connection ended.
#[derive(Clone, Debug)]
pub struct Closed {
    /// What calls in flight end with.
    pub pending: ChannelError,
    /// What later calls end with.
    pub later: ChannelError,
}

/// A call that is not over for its sender.
pub enum Call {
    /// Waits for a lane.
    Queued(CallWaiter, Request),
    /// Is sent.
    Sent(CallWaiter),
    /// Is sent, and nobody waits.
    Abandoned,
    /// Is answered.
    Answered(Answer, CallWaiter),
}

impl QueueState {
    pub fn check_open(&self) -> Result<(), ChannelError> {
        match &self.closed {
            None => Ok(()),
            Some(closed) => Err(closed.later),
        }
    }

    pub fn check_sending(&self, continues: bool) -> Result<(), ChannelError> {
        self.check_open()?;
        if self.draining && !continues {
            return Err(ChannelError::ShuttingDown);
        }
        Ok(())
    }

    pub fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.closed.is_some() || matches!(self.calls.get(&ticket.seq), Some(Call::Abandoned))
    }

    /// Takes out all who wait for something.
    pub fn waiters(&mut self) -> Vec<Waiter> {
        let waiting = self.calls.values_mut().filter_map(Call::waiting);
        waiting.filter_map(|waiting| waiting.waiter.take()).collect()
    }

    pub fn next_ticket(&mut self) -> Ticket {
        self.last_seq += 1;
        Ticket::new(0, self.last_seq)
    }

    /// Whether the lane of a call stays with its sender, as is asked once.
    pub fn was_kept(&mut self, seq: u64) -> bool {
        let place = self.kept.iter().position(|kept| *kept == seq);
        place.map(|place| self.kept.swap_remove(place)).is_some()
    }

    /// Gives a free lane to the first call that still waits for one, which is to be published.
    pub fn fill_lane(&mut self, lanes: u32) -> Option<Request> {
        if self.lanes_taken == lanes {
            return None;
        }
        let (draining, calls) = (self.draining, &self.calls);
        // While the server drains its calls, the others have been woken, and will learn so.
        let next = self.queue.iter().position(|seq| {
            !draining
                || matches!(calls.get(seq), Some(Call::Queued(waiting, _)) if waiting.continues)
        })?;
        let seq = self.queue.remove(next)?;
        let Some(Call::Queued(waiting, request)) = self.calls.remove(&seq) else {
            unreachable!("a call leaves the queue when it waits no more");
        };
        self.calls.insert(seq, Call::Sent(waiting));
        self.lanes_taken += 1;
        Some(request)
    }

    /// A call waits for a lane no more.
    pub fn leave_queue(&mut self, seq: u64) {
        self.queue.retain(|queued| *queued != seq);
    }
}

impl Call {
    pub fn waiting(&mut self) -> Option<&mut CallWaiter> {
        match self {
            Call::Queued(waiting, _) | Call::Sent(waiting) | Call::Answered(_, waiting) => {
                Some(waiting)
            }
            Call::Abandoned => None,
        }
    }

    pub fn into_waiting(self) -> CallWaiter {
        match self {
            Call::Queued(waiting, _) | Call::Sent(waiting) | Call::Answered(_, waiting) => waiting,
            Call::Abandoned => CallWaiter::default(),
        }
    }
}
