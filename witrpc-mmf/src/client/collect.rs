//! Lanes whose caller is gone, or may never come back.
//!
//! A lane cannot be used again before its call has been answered, since the server may still read
//! the request. So an abandoned lane is freed only when its answer is there, by one of these:
//!
//! - a caller that is short of a lane, or the link thread while calls wait for one;
//! - a caller that takes an answer which is not short, or that goes to sleep. The unread answer
//!   holds space in the server's arena, which this caller's own answer may need.
//!
//! Answers of futures that are not polled are moved to private memory, `completed`, in two cases. A
//! caller, or the link thread for it, is short of a lane: then a leaked future does not cost a
//! lane. Or the server is short of space: then an answer that is never fetched does not block
//! others.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{Answer, ChannelError, Payload, Ticket};

use crate::link::head::{Head, LEASES, LineKind};
use crate::link::ready_line::ReadyLine;
use crate::link::sealed::sealed_len;
use crate::link::{cancel, line};
use crate::memory::layout::{GROUP, WANTS_CANCEL, WANTS_SPACE, control};
use crate::memory::words::Mapped;
use crate::wakeup::epoch;

use super::Client;
use super::lane_ownership::LanePhase;
use super::lanes::Looks;
use super::receive::Taken;

impl Client {
    /// Gives a call up. A handler that still runs can find out.
    pub fn abandon(self: &Arc<Self>, ticket: Ticket) {
        if self.half.origin.is_forked() {
            return;
        }
        let lane = self.lanes.get(ticket.lane as usize);
        if lane.is_owned_again_by(ticket) {
            return self.abandon_owned(ticket);
        }
        self.deadlines.clear_for(ticket);
        let answer = self.completed().remove(&ticket);
        drop(answer);
    }

    /// Does [`abandon`](Self::abandon) for the owner of the lane.
    pub(super) fn abandon_owned(self: &Arc<Self>, ticket: Ticket) {
        let number = ticket.lane as usize;
        let lane = self.lanes.get(number);
        self.forget_sleeper(ticket);
        *lane.reassembly() = None;
        let word = self.half.layout.control_word(number, control::CANCELLED);
        cancel::cancel::<Mapped>(self.half.own.word64(word), ticket.seq);
        self.abandoned.fetch_add(1, Relaxed);
        lane.ownership.lend(ticket.seq, LanePhase::Abandoned);
        // Three pairs of a store and a look meet at this fence. A caller that is short of a lane
        // finds this one abandoned, or is seen here. The link thread finds it abandoned when it is
        // rung for the answer, or the answer is seen here. A handler that goes to sleep sees the
        // cancel, or its wake-up request is seen here.
        epoch::fence::<Mapped>();
        if !self.lane_queue.is_empty() {
            self.request_wakeup(number / GROUP);
        }
        if self.cancel_rung.should_wake_after_fence(self.half.peer.head_word(WANTS_CANCEL)) {
            self.half.doorbell.ring();
        }
        self.collect_abandoned(number);
    }

    /// Frees every lane that can be freed, abandoned or collectable.
    pub(super) fn collect(self: &Arc<Self>) {
        for lane in 0..self.lanes.count() {
            self.collect_lane(lane);
        }
    }

    /// Allows the answer to this call to be moved off its lane, because its caller does not look
    /// for it now. From here on only [`poll_answer`](Self::poll_answer) and
    /// [`abandon`](Self::abandon) take its ticket.
    pub fn set_aside(self: &Arc<Self>, ticket: Ticket) {
        if !self.half.origin.is_forked() {
            self.lanes.get(ticket.lane as usize).ownership.lend(ticket.seq, LanePhase::Collectable);
            self.make_room_of(ticket);
        }
    }

    /// Makes polls for the answer to this call, which was just sent, not spin: the answer may take
    /// long.
    pub fn expect_late(&self, ticket: Ticket) {
        if !self.half.origin.is_forked() {
            self.lanes.get(ticket.lane as usize).set_looks(Looks::Asleep);
        }
    }

    /// Moves the answer of a call off its lane, if it is there and the server is short of space. A
    /// caller that has just lent the lane must call this: the link thread may have looked at the
    /// lane before.
    pub(super) fn make_room_of(self: &Arc<Self>, ticket: Ticket) {
        // Pairs with the server's fence behind its wake-up request for space. Either that request
        // is seen here, or the link thread, which is rung after that fence, sees the lane lent.
        epoch::fence::<Mapped>();
        if self.half.space_wake_request.is_awaited(self.half.peer.head_word(WANTS_SPACE)) {
            self.collect_lane(ticket.lane as usize);
        }
    }

    /// Frees every lane that can be freed, if the server is short of space.
    pub(super) fn make_room(self: &Arc<Self>) {
        if self.half.space_wake_request.is_awaited(self.half.peer.head_word(WANTS_SPACE)) {
            self.collect();
        }
    }

    /// Frees the abandoned lanes that have been answered, if there are abandoned ones.
    #[inline]
    pub(super) fn collect_if_abandoned(self: &Arc<Self>) {
        if self.abandoned.load(Relaxed) > 0 {
            (0..self.lanes.count()).for_each(|lane| self.collect_abandoned(lane));
        }
    }

    /// Does the same for a caller that goes to sleep, and leaves those that are answered later to
    /// the link thread.
    pub(super) fn collect_before_sleep(self: &Arc<Self>) {
        if self.abandoned.load(Relaxed) > 0 {
            self.request_all_wakeups();
            self.collect_if_abandoned();
        }
    }

    pub(super) fn collect_lane(self: &Arc<Self>, lane: usize) {
        match self.lanes.get(lane).ownership.current() {
            Some((_, LanePhase::Abandoned)) => self.collect_abandoned(lane),
            Some((seq, LanePhase::Collectable)) => {
                self.move_to_completed(Ticket::new(lane as u32, seq))
            }
            _ => {}
        }
    }

    /// Moves an answer that is there and has not been fetched to `completed`. An answer in segments
    /// stays: to put it together would hold a whole message for a caller that may be gone.
    fn move_to_completed(self: &Arc<Self>, ticket: Ticket) {
        let lane = ticket.lane as usize;
        let private = self.lanes.get(lane);
        if line::shows::<Mapped>(self.response_line(lane)) != ticket.seq || self.is_segment(lane) {
            return;
        }
        // The lock covers both the change of phase and the entry: a thread that sees the phase
        // finds the entry.
        let mut completed = self.completed();
        if !private.ownership.complete(ticket.seq) {
            return;
        }
        let (answer, outcome) = match self.read_response(lane, ticket.seq) {
            Ok(Taken::Answer(answer)) => (answer.map(private_copy), Ok(())),
            Ok(Taken::More(_) | Taken::Acknowledged) => {
                let error = ChannelError::Misbehaved("an answer that changed while it was read");
                (Err(error), Err(error))
            }
            Err(error) => (Err(error), Err(error)),
        };
        completed.insert(ticket, answer);
        // From here on tasks are woken, which may look in `completed` at once.
        drop(completed);
        private.sleeper.hand_on(ticket.seq, || match outcome {
            Ok(()) => self.free_lane(lane),
            Err(error) => self.end_if_broken(error),
        });
    }

    /// Takes the answer of a call that was moved off its lane.
    pub(super) fn take_completed(&self, ticket: Ticket) -> Result<Answer, ChannelError> {
        let answer = self.completed().remove(&ticket);
        match answer {
            Some(answer) => answer,
            None => Err(self.accuse("an answer to a call that was never made")),
        }
    }

    fn is_segment(&self, lane: usize) -> bool {
        let copied = line::copy_out::<Mapped>(self.response_line(lane));
        Head::from_word(copied.head).is_none_or(|head| matches!(head.kind, LineKind::Segment))
    }

    /// Frees an abandoned lane if it has been answered. If a large message is not complete, in
    /// either direction, its rest is discarded first and the lane stays abandoned until that is
    /// answered.
    pub(super) fn collect_abandoned(self: &Arc<Self>, lane: usize) {
        let private = self.lanes.get(lane);
        let Some((seq, LanePhase::Abandoned)) = private.ownership.current() else { return };
        let arrived = line::shows::<Mapped>(self.response_line(lane)) == seq;
        if !arrived || !private.ownership.reclaim(seq, LanePhase::Abandoned) {
            return;
        }
        let copied = line::copy_out::<Mapped>(self.response_line(lane));
        let Some(head) = Head::from_word(copied.head) else {
            self.accuse("an answer of a kind that does not exist");
            return;
        };
        if head.tag & LEASES != 0 && head.kind == LineKind::Inline {
            // Dropping the answer releases its leases.
            match self.read_copied(lane, seq, &copied) {
                Ok(_) => self.free_abandoned(lane),
                Err(error) => self.end_if_broken(error),
            }
            return;
        }
        let passed = match head.kind {
            LineKind::Block | LineKind::Segment => self
                .half
                .checked_block(&copied.inline)
                .and_then(|block| self.half.drop_block(lane, &block)),
            LineKind::Inline => self.half.pass_over(lane, sealed_len(0)),
            LineKind::Buffered => self.half.check_buffered(head).map(drop),
            // These are not part of a message, so the cipher has not counted them.
            LineKind::Next | LineKind::Discard => Ok(()),
        };
        if let Err(rule) = passed {
            return self.end_if_broken(ChannelError::Misbehaved(rule));
        }
        match head.kind {
            LineKind::Segment | LineKind::Next => {
                let next = private.next_seq();
                self.publish(lane, next, &ReadyLine::bare(LineKind::Discard));
                private.ownership.lend(next, LanePhase::Abandoned);
            }
            LineKind::Inline | LineKind::Buffered | LineKind::Block | LineKind::Discard => {
                self.free_abandoned(lane);
            }
        }
    }

    fn free_abandoned(&self, lane: usize) {
        self.abandoned.fetch_sub(1, Relaxed);
        self.free_lane(lane);
    }
}

/// Copies an answer out of the server's arena.
fn private_copy(answer: Answer) -> Answer {
    Answer::new(answer.tag, private_payload(answer.payload))
}

/// Copies the bytes out of the server's arena. Leases stay there.
fn private_payload(payload: Payload) -> Payload {
    match payload {
        Payload::Remote(block) => {
            let mut bytes = vec![0; block.len()];
            block.copy_to(0, &mut bytes);
            Payload::Whole(bytes)
        }
        private => private,
    }
}
