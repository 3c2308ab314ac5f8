//! How a future waits: for a lane, for space, or for its lane to show a response.
//!
//! Each wait registers its waker where the event is signalled, and with the [`Deadlines`] for its
//! limit. Then it looks once more. The link thread wakes it.
//!
//! [`Deadlines`]: super::deadlines::Deadlines

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use witrpc_transport::{ChannelError, Limit, Ticket};

use crate::link::line as lines;
use crate::memory::layout::GROUP;
use crate::memory::words::{Mapped, ReadWord};
use crate::portable::PollPauses;

use super::Client;
use super::deadlines::{DeadlineSlot, earliest};
use super::lane_queue::{LanePlace, TURN};
use super::lanes::Looks;
use super::sleeper::Sleeper;
use super::stall_timer::StallTimer;

/// The registrations of a future, other than for a response, across its polls. [`Client::end_wait`]
/// must be called when the future ends.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Whether the request continues a call that has begun, which a draining server still takes.
    pub continues: bool,
    lane: LanePlace,
    space: Option<u64>,
    deadline: DeadlineSlot,
}

impl Client {
    /// Takes a lane if one is free and no call waits for one.
    #[inline]
    pub(super) fn take_unqueued(&self) -> Option<usize> {
        if self.lane_queue.is_empty() { self.lanes.take() } else { None }
    }

    /// Frees the lane of a call that is over, and calls the next call that waits for one.
    #[inline]
    pub(super) fn free_lane(&self, lane: usize) {
        self.lanes.give_back(lane);
        if !self.lane_queue.is_empty() {
            self.lane_queue.call_next(&self.lanes);
        }
    }

    /// Waits until a lane is free for this call, behind the calls that waited before, and takes it.
    pub(super) fn poll_free_lane(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
        limit: &mut Limit,
    ) -> Poll<Result<usize, ChannelError>> {
        self.check_sending(waiting.continues)?;
        if waiting.lane.is_new()
            && let Some(lane) = self.take_unqueued()
        {
            return Poll::Ready(Ok(lane));
        }
        self.lane_queue.enter(&mut waiting.lane, cx.waker().clone());
        // From here on, a thread that frees a lane sees this call.
        if let Some(lane) = self.lane_queue.try_take(&waiting.lane, &self.lanes) {
            return Poll::Ready(Ok(lane));
        }
        self.request_all_wakeups();
        self.collect();
        if let Some(lane) = self.lane_queue.try_take(&waiting.lane, &self.lanes) {
            return Poll::Ready(Ok(lane));
        }
        if limit.has_passed() {
            self.lane_queue.leave(&mut waiting.lane, &self.lanes);
            return Poll::Ready(Err(ChannelError::NoFreeLane));
        }
        let deadline = self.set_deadline(&mut waiting.deadline, cx.waker(), limit);
        self.wake_link(earliest(deadline, Some(Instant::now() + TURN)), PollPauses::LONGEST);
        // Checked again: a connection that was lost before this call entered has woken its waiters
        // already.
        self.check_sending(waiting.continues)?;
        Poll::Pending
    }

    /// Waits until `attempt` finds space. `attempt` must request a wake-up from the server when it
    /// fails.
    pub(super) fn poll_for_space<T>(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
        limit: &mut Limit,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Poll<Result<T, ChannelError>> {
        self.check_sending(waiting.continues)?;
        if let Some(found) = attempt() {
            self.space_waiters.leave(&mut waiting.space);
            return Poll::Ready(Ok(found));
        }
        self.check_arena()?;
        if limit.has_passed() {
            return Poll::Ready(Err(ChannelError::NoSpace));
        }
        self.space_waiters.register(&mut waiting.space, cx.waker());
        let deadline = self.set_deadline(&mut waiting.deadline, cx.waker(), limit);
        self.wake_link(deadline, PollPauses::LONGEST);
        // Tried again: from here on, a thread that frees space sees this call.
        if let Some(found) = attempt() {
            self.space_waiters.leave(&mut waiting.space);
            return Poll::Ready(Ok(found));
        }
        // As in `poll_free_lane`.
        self.check_sending(waiting.continues)?;
        Poll::Pending
    }

    /// Registers a future to be woken at its limit. Returns the limit, which the caller must pass
    /// to [`wake_link`](Self::wake_link) after this.
    fn set_deadline(
        &self,
        slot: &mut DeadlineSlot,
        waker: &Waker,
        limit: &mut Limit,
    ) -> Option<Instant> {
        let deadline = limit.instant();
        if let Some(at) = deadline {
            self.deadlines.set(slot, at, waker);
        }
        deadline
    }

    /// Leaves the queues and clears the deadline.
    pub(super) fn end_wait(&self, waiting: &mut Waiting) {
        self.lane_queue.leave(&mut waiting.lane, &self.lanes);
        self.space_waiters.leave(&mut waiting.space);
        self.deadlines.clear(&mut waiting.deadline);
    }

    /// Requests a ring for every answer, because the caller is short of a lane or of space.
    pub(super) fn request_all_wakeups(&self) {
        for group in 0..self.groups.len() {
            self.request_wakeup(group);
        }
    }

    /// Polls until the lane's response line shows `seq`.
    pub(super) fn poll_line(
        &self,
        cx: &mut Context<'_>,
        lane: usize,
        seq: u64,
        limit: &mut Limit,
    ) -> Poll<Result<(), ChannelError>> {
        let line = self.response_line(lane);
        let arrived = || lines::shows::<Mapped>(line) == seq;
        let private = self.lanes.get(lane);
        let looks = private.looks();
        if arrived() {
            match looks {
                Looks::NotGranted | Looks::Spun => {}
                Looks::Left(_) => self.spin.succeeded(),
                // The future may have been polled for another reason than that the link thread woke
                // it.
                Looks::Asleep => self.forget_sleeper(Ticket::new(lane as u32, seq)),
            }
            return Poll::Ready(Ok(()));
        }
        let left = match looks {
            Looks::NotGranted => self.spin.looks(),
            Looks::Left(left) => left,
            Looks::Spun | Looks::Asleep => 0,
        };
        if left > 0 {
            private.set_looks(Looks::Left(left - 1));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Looks::Left(_) = looks {
            self.spin.failed();
        }
        private.set_looks(Looks::Asleep);
        let deadline = limit.instant();
        let ticket = Ticket::new(lane as u32, seq);
        self.link_wakes(ticket, cx.waker(), deadline);
        if arrived() {
            self.forget_sleeper(ticket);
            return Poll::Ready(Ok(()));
        }
        if let Some(why) = self.lost() {
            return Poll::Ready(self.pending_end(lane, seq, why));
        }
        if deadline.is_some_and(|at| Instant::now() >= at) {
            return Poll::Ready(Err(ChannelError::TimedOut));
        }
        Poll::Pending
    }

    /// Registers a future that goes to sleep, to be woken for its answer and at its deadline.
    fn link_wakes(&self, ticket: Ticket, waker: &Waker, deadline: Option<Instant>) {
        let lane = ticket.lane as usize;
        if let Some(at) = deadline {
            self.deadlines.set_for(ticket, at, waker);
        }
        let sleeper =
            Sleeper { seq: ticket.seq, task: waker.clone(), stall_timer: StallTimer::new() };
        let stall_timer = self.lanes.get(lane).sleeper.put(sleeper);
        self.request_wakeup(lane / GROUP);
        self.wake_link(stall_timer.wake_at(deadline), PollPauses::SHORTEST);
    }

    /// Rings the server again if the stall timer says so and the server has not claimed call `seq`
    /// of `lane`.
    pub(super) fn ask_for_thread(
        &self,
        lane: usize,
        seq: u64,
        stall_timer: &mut StallTimer,
        now: Instant,
    ) {
        if !stall_timer.is_due(now) {
            return;
        }
        // Relaxed: this is a hint that ends the ringing. No other memory is read because of it.
        let claimed = self.half.peer.word64(self.half.layout.claimed_word(lane)).load(Relaxed);
        if claimed >= seq {
            return stall_timer.stop();
        }
        self.half.doorbell.ring();
        stall_timer.put_off(now);
    }

    /// Removes the wake-ups of a call whose future needs none any more.
    pub(super) fn forget_sleeper(&self, ticket: Ticket) {
        self.lanes.get(ticket.lane as usize).sleeper.forget(ticket.seq);
        self.deadlines.clear_for(ticket);
    }
}
