//! The calls of one connection: the lanes they hold, and what waits for each.
//!
//! # Invariants
//!
//! 1. While the connection stands, `lanes_taken` counts the calls that are sent and unanswered, given up or
//!    not, and the lanes that stay with their senders. It never exceeds the limit.
//! 2. While the connection stands, a call is in `queue` exactly once while it is [`Call::Queued`], and
//!    otherwise not. Once it is closed, `queue` is empty.
//! 3. Once the connection is closed, no call is [`Call::Abandoned`]: no answer would remove it.

use std::collections::{HashMap, VecDeque};

use witrpc_transport::{Answer, ChannelError, Request, Ticket};

use super::waiter::{CallWaiter, Waiter};

/// The state of all calls of one connection.
#[derive(Default)]
pub struct QueueState {
    pub calls: HashMap<u64, Call>,
    last_seq: u64,
    /// Calls that wait for a lane, oldest first.
    pub queue: VecDeque<u64>,
    pub lanes_taken: u32,
    /// Calls whose lane stays with their sender after the answer, one for each [`Kept`](super::kept::Kept).
    pub kept: Vec<u64>,
    /// The server takes no new calls.
    pub draining: bool,
    pub closed: Option<Closed>,
}

/// The errors that a closed connection gives.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The error of calls in flight.
    pub pending: ChannelError,
    /// The error of later calls.
    pub later: ChannelError,
}

/// A call whose sender has not finished with it.
pub enum Call {
    /// It waits for a lane.
    Queued(CallWaiter, Request),
    /// It is sent.
    Sent(CallWaiter),
    /// It is sent, and its caller has given up.
    Abandoned,
    /// It is answered, or did not reach the server.
    Answered(Result<Answer, ChannelError>, CallWaiter),
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

    /// Takes out all waiters.
    pub fn waiters(&mut self) -> Vec<Waiter> {
        let waiting = self.calls.values_mut().filter_map(Call::waiting);
        waiting.filter_map(|waiting| waiting.waiter.take()).collect()
    }

    pub fn next_ticket(&mut self) -> Ticket {
        self.last_seq += 1;
        Ticket::new(0, self.last_seq)
    }

    /// Returns whether the lane of a call stays with its sender. To be asked once.
    pub fn was_kept(&mut self, seq: u64) -> bool {
        let place = self.kept.iter().position(|kept| *kept == seq);
        place.map(|place| self.kept.swap_remove(place)).is_some()
    }

    /// Gives a free lane to the first call that still waits for one. The caller publishes the request.
    pub fn fill_lane(&mut self, lanes: u32) -> Option<Request> {
        if self.lanes_taken == lanes {
            return None;
        }
        let (draining, calls) = (self.draining, &self.calls);
        // While the server drains its calls, the others have been woken, and will see that.
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

    /// Removes a call from those that wait for a lane.
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
