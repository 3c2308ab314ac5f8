//! The calls in flight of one client, and what waits for each.
//!
//! A call in flight holds one of the connection's lanes from its sending until its answer, even if its caller
//! has given up. The answer is then stored in the call's own entry, so an answer that is never fetched holds no
//! lane. A call that waits for a lane is stored whole, and the thread that frees a lane sends it. So a future
//! that is not polled any more blocks no other call.
//!
//! Wakers are foreign code: they are woken and dropped outside of the lock.

use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use witrpc_rt::{WakerSet, lock};
use witrpc_transport::{Answer, ChannelError, Outgoing, Request, Ticket};

use crate::rt::Alarm;

use super::calls::{Call, Closed, QueueState};
use super::handed_over::to_request;
use super::limits::Limits;
use super::outlet::RequestSink;
use super::waiter::{CallWaiter, Progress, Waiter};

/// The calls of one client.
pub struct InFlight {
    limits: Limits,
    sink: Box<dyn RequestSink>,
    /// Whether the sink uses the news that a call was given up.
    tells_cancelled: bool,
    state: Mutex<QueueState>,
    /// Handlers that sleep until their calls are given up.
    watchers: WakerSet<Ticket>,
    /// Tasks that wait for the connection to close.
    lost_waiters: WakerSet,
}

/// The lane for a call that is not sent at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// The next lane that is free for it.
    NextFree,
    /// The same, and the lane stays with the sender.
    ToKeep,
    /// A lane that has stayed.
    Kept,
}

impl InFlight {
    pub fn new(limits: Limits, sink: Box<dyn RequestSink>, tells_cancelled: bool) -> Self {
        Self {
            limits,
            sink,
            tells_cancelled,
            state: Mutex::default(),
            watchers: WakerSet::default(),
            lost_waiters: WakerSet::default(),
        }
    }

    /// Sends a call, unless no lane is free.
    pub fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.try_send_or_continue(message, false)
    }

    fn try_send_or_continue(
        &self,
        message: Outgoing<'_>,
        continues: bool,
    ) -> Result<Option<Ticket>, ChannelError> {
        let mut state = lock(&self.state);
        state.check_sending(continues)?;
        if state.lanes_taken == self.limits.lanes {
            return Ok(None);
        }
        state.lanes_taken += 1;
        let ticket = state.next_ticket();
        state.calls.insert(ticket.seq, Call::Sent(CallWaiter::default()));
        drop(state);
        self.sink.send(to_request(ticket, message));
        Ok(Some(ticket))
    }

    /// Sends a call as soon as there is a lane for it, after the calls that came before. A request that
    /// `continues` a call is sent even while the server drains its calls.
    pub fn send_later(
        &self,
        message: Outgoing<'_>,
        continues: bool,
    ) -> Result<Ticket, ChannelError> {
        if let Some(ticket) = self.try_send_or_continue(message, continues)? {
            return Ok(ticket);
        }
        self.put(message, Lane::NextFree, continues)
    }

    /// Sends a call whose lane stays with the sender. It uses the lane kept from the call before, or the next
    /// one that is free for it.
    pub fn send_keeping(
        &self,
        message: Outgoing<'_>,
        has_lane: bool,
    ) -> Result<Ticket, ChannelError> {
        self.put(message, if has_lane { Lane::Kept } else { Lane::ToKeep }, false)
    }

    fn put(
        &self,
        message: Outgoing<'_>,
        lane: Lane,
        continues: bool,
    ) -> Result<Ticket, ChannelError> {
        let ticket = lock(&self.state).next_ticket();
        // Copied before the lock is taken.
        let request = to_request(ticket, message);
        let mut state = lock(&self.state);
        state.check_sending(continues)?;
        let waiting = CallWaiter { continues, ..CallWaiter::default() };
        if lane != Lane::NextFree {
            state.kept.push(ticket.seq);
        }
        let next = if lane == Lane::Kept {
            state.calls.insert(ticket.seq, Call::Sent(CallWaiter::default()));
            Some(request)
        } else {
            state.calls.insert(ticket.seq, Call::Queued(waiting, request));
            state.queue.push_back(ticket.seq);
            // A lane may have become free meanwhile.
            state.fill_lane(self.limits.lanes)
        };
        drop(state);
        next.into_iter().for_each(|request| self.publish(request));
        Ok(ticket)
    }

    /// Gives a lane that has stayed with its sender to other calls.
    pub fn free_lane(&self) {
        self.give_lane_on(lock(&self.state));
    }

    /// Notes that the lane of a call does not stay with its sender after all.
    pub fn keep_no_longer(&self, ticket: Ticket) {
        let mut state = lock(&self.state);
        let was_answered = !state.was_kept(ticket.seq);
        if was_answered {
            self.give_lane_on(state);
        }
    }

    /// Gives a free lane to the call that has waited for one longest.
    fn give_lane_on(&self, mut state: MutexGuard<'_, QueueState>) {
        state.lanes_taken -= 1;
        let next = state.fill_lane(self.limits.lanes);
        drop(state);
        next.into_iter().for_each(|request| self.publish(request));
    }

    /// Checks whether a queued call has been sent.
    pub fn poll_sent(&self, ticket: Ticket, waiter: Waiter) -> Progress<()> {
        let mut state = lock(&self.state);
        let continues = match state.calls.get(&ticket.seq) {
            Some(Call::Queued(waiting, _)) => waiting.continues,
            _ => false,
        };
        let refused = state.check_sending(continues).err();
        match state.calls.get_mut(&ticket.seq) {
            Some(Call::Queued(waiting, _)) => match refused {
                None => Progress::Wait(waiting.waiter.replace(waiter)),
                Some(error) => {
                    let waiting = std::mem::take(waiting);
                    let _never_sent = state.calls.remove(&ticket.seq);
                    state.leave_queue(ticket.seq);
                    Progress::Done(Err(error), waiting)
                }
            },
            Some(Call::Sent(waiting) | Call::Answered(_, waiting)) => {
                Progress::Done(Ok(()), std::mem::take(waiting))
            }
            Some(Call::Abandoned) | None => Progress::Done(Err(SPENT), CallWaiter::default()),
        }
    }

    /// Takes a call back that has not been sent. Returns `None` if it has.
    pub fn take_back(&self, ticket: Ticket) -> Option<CallWaiter> {
        let mut state = lock(&self.state);
        match state.calls.remove(&ticket.seq)? {
            Call::Queued(waiting, _) => {
                state.leave_queue(ticket.seq);
                Some(waiting)
            }
            sent => {
                state.calls.insert(ticket.seq, sent);
                None
            }
        }
    }

    /// Sends a call that has waited. If it was given up since it got its lane, the sink heard of that too
    /// early, and hears it again.
    fn publish(&self, request: Request) {
        let ticket = request.ticket;
        self.sink.send(request);
        if self.tells_cancelled && self.is_cancelled(ticket) {
            self.sink.cancel(ticket);
        }
    }

    /// Checks whether a call is answered.
    pub fn poll_answer(&self, ticket: Ticket, waiter: Waiter) -> Progress<Answer> {
        let QueueState { calls, closed, .. } = &mut *lock(&self.state);
        if closed.is_none()
            && let Some(Call::Sent(waiting)) = calls.get_mut(&ticket.seq)
        {
            return Progress::Wait(waiting.waiter.replace(waiter));
        }
        match (calls.remove(&ticket.seq), closed) {
            (Some(Call::Answered(result, waiting)), _) => Progress::Done(result, waiting),
            (Some(call), Some(closed)) => Progress::Done(Err(closed.pending), call.into_waiting()),
            _ => Progress::Done(Err(SPENT), CallWaiter::default()),
        }
    }

    /// Stores the alarm of a call that waits. Returns it if the call does not wait any more.
    pub fn set_alarm(&self, ticket: Ticket, alarm: Alarm) -> Option<Alarm> {
        let mut state = lock(&self.state);
        match state.calls.get_mut(&ticket.seq).and_then(Call::waiting) {
            Some(waiting) => waiting.alarm.replace(alarm),
            None => Some(alarm),
        }
    }

    /// Returns how many calls can be in flight.
    pub fn lanes(&self) -> u32 {
        self.limits.lanes
    }

    /// Returns how many calls have been given up and not been answered yet.
    pub fn abandoned(&self) -> u32 {
        let state = lock(&self.state);
        state.calls.values().filter(|call| matches!(call, Call::Abandoned)).count() as u32
    }

    /// Gives a call up, whose caller has stopped waiting.
    pub fn abandon(&self, ticket: Ticket) -> CallWaiter {
        let mut state = lock(&self.state);
        let mut is_given_up = false;
        let left = match state.calls.remove(&ticket.seq) {
            Some(Call::Sent(waiting)) => {
                // On a closed connection no answer will come to remove the entry.
                if state.closed.is_none() {
                    state.calls.insert(ticket.seq, Call::Abandoned);
                    is_given_up = true;
                }
                waiting
            }
            Some(Call::Queued(waiting, _)) => {
                state.leave_queue(ticket.seq);
                waiting
            }
            Some(Call::Answered(_, waiting)) => waiting,
            Some(Call::Abandoned) => {
                // A call may be given up twice.
                state.calls.insert(ticket.seq, Call::Abandoned);
                CallWaiter::default()
            }
            None => CallWaiter::default(),
        };
        drop(state);
        if is_given_up {
            self.watchers.wake_if(|watched| *watched == ticket);
            if self.tells_cancelled {
                self.sink.cancel(ticket);
            }
        }
        left
    }

    /// Ends the connection, once. The first reason counts.
    pub fn close(&self, pending: ChannelError, later: ChannelError) {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return;
        }
        state.closed = Some(Closed { pending, later });
        state.calls.retain(|_, call| !matches!(call, Call::Abandoned));
        state.queue.clear();
        let waiters = state.waiters();
        drop(state);
        waiters.into_iter().for_each(Waiter::wake);
        self.watchers.wake_all();
        self.lost_waiters.wake_all();
    }

    /// Takes no new calls from now on. All waiters look again, and those still without a lane fail.
    pub fn drain(&self) {
        let mut state = lock(&self.state);
        state.draining = true;
        let waiters = state.waiters();
        drop(state);
        waiters.into_iter().for_each(Waiter::wake);
    }

    /// Returns why no call can succeed any more.
    pub fn lost(&self) -> Option<ChannelError> {
        lock(&self.state).check_open().err()
    }

    /// Wakes `waker` when the connection is closed, or at once if it is.
    pub fn when_lost(&self, waker: Waker) {
        self.lost_waiters.add((), &waker);
        if self.lost().is_some() {
            self.lost_waiters.wake_all();
        }
    }

    /// Refuses a message over the limit.
    pub fn check_len(&self, len: usize) -> Result<(), ChannelError> {
        let max = self.limits.max_message_size;
        if len > max { Err(ChannelError::TooLarge { len, max }) } else { Ok(()) }
    }

    /// Stores the answer to a call, and gives its lane to the next.
    pub fn answer(&self, ticket: Ticket, answer: Answer) -> Result<(), ChannelError> {
        self.settle(ticket, Ok(answer))
    }

    /// Stores what has become of a call, and gives its lane to the next.
    pub fn settle(
        &self,
        ticket: Ticket,
        result: Result<Answer, ChannelError>,
    ) -> Result<(), ChannelError> {
        let mut state = lock(&self.state);
        state.check_open()?;
        let waiter = match state.calls.get_mut(&ticket.seq) {
            Some(Call::Abandoned) => {
                state.calls.remove(&ticket.seq);
                None
            }
            Some(call @ Call::Sent(_)) => {
                let mut waiting = call.waiting().map(std::mem::take).unwrap_or_default();
                let waiter = waiting.waiter.take();
                *call = Call::Answered(result, waiting);
                waiter
            }
            _ => return Err(SPENT),
        };
        if !state.was_kept(ticket.seq) {
            self.give_lane_on(state);
        } else {
            drop(state);
        }
        waiter.into_iter().for_each(Waiter::wake);
        Ok(())
    }

    /// Notes on the server's side that the client leaves.
    pub fn leave(&self) {
        self.sink.close();
    }

    /// Returns whether a call has been given up, or can have no answer any more.
    pub fn is_cancelled(&self, ticket: Ticket) -> bool {
        lock(&self.state).is_cancelled(ticket)
    }

    /// Wakes `waker` once [`is_cancelled`](Self::is_cancelled) is true. Returns the key to take it back.
    pub fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        let key = self.watchers.add(ticket, waker);
        if self.is_cancelled(ticket) {
            waker.wake_by_ref();
        }
        key
    }

    /// Removes the waker of this key.
    pub fn unwatch(&self, key: u64) {
        self.watchers.remove(key);
    }

    #[cfg(test)]
    pub fn entries(&self) -> usize {
        let state = lock(&self.state);
        state.calls.len() + state.queue.len()
    }
}

/// A ticket was used after it was spent: a bug in the layers above.
const SPENT: ChannelError = ChannelError::Misbehaved("the call is over already");
