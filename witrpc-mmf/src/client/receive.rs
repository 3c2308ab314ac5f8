//! Waits for a response and takes it off its lane.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Instant;

use witrpc_transport::{Answer, ChannelError, Limit, Payload, Ticket};

use crate::link::head::{Head, LEASES, LineKind};
use crate::link::lease::take_leases;
use crate::link::line as lines;
use crate::link::line::{Copied, InlineWords};
use crate::link::message_codec::Segment;
use crate::link::ready_line::ReadyLine;
use crate::link::reassembly::Reassembly;
use crate::link::receiver::open_block;
use crate::memory::layout::{Layout, line, wait};
use crate::memory::words::Mapped;
use crate::portable::PollPauses;
use crate::wakeup::futex;
use crate::wakeup::futex::Woken;
use crate::wakeup::park;

use super::Client;
use super::lane_ownership::LanePhase;
use super::lanes::Looks;
use super::stall_timer::StallTimer;

/// What a response is.
pub enum Taken<R = Result<Answer, ChannelError>> {
    /// The call is over. This is the answer, the reason why there is none, or what was made of the
    /// answer.
    Answer(R),
    /// A part of the answer. The next part has been requested, and arrives under this seq.
    More(u64),
    /// The server has taken a segment of the request. The caller still owns the lane.
    Acknowledged,
}

impl Client {
    /// Blocks the thread until the answer is there: spins, then parks. Returns what `receive` makes
    /// of the answer. A short answer goes from its line directly to where `receive` puts it.
    ///
    /// `receive` runs before the lane is free, so it should be short.
    ///
    /// # Errors
    ///
    /// Why there is no answer. The ticket must not be used again then either.
    #[inline]
    pub fn wait_answer<R>(
        self: &Arc<Self>,
        ticket: Ticket,
        limit: &mut Limit,
        mut receive: impl FnMut(Answer) -> R,
    ) -> Result<R, ChannelError> {
        self.check_mapped()?;
        let lane = ticket.lane as usize;
        let mut seq = ticket.seq;
        loop {
            self.wait_response(lane, seq, limit)?;
            match self.take_response(lane, seq, &mut receive)? {
                Taken::Answer(received) => return Ok(received),
                Taken::More(next) => seq = next,
                Taken::Acknowledged => return Err(self.accuse(UNASKED)),
            }
        }
    }

    /// Blocks until the lane's response line shows `seq`.
    #[inline]
    pub(super) fn wait_response(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
        limit: &mut Limit,
    ) -> Result<(), ChannelError> {
        let line = self.response_line(lane);
        let arrived = || (lines::shows::<Mapped>(line) == seq).then_some(());
        let private = self.lanes.get(lane);
        let found = if private.looks() == Looks::Spun {
            // Only for this response: another on the same lane is waited for anew.
            private.set_looks(Looks::NotGranted);
            arrived()
        } else {
            self.spin.until(arrived)
        };
        match found {
            Some(()) => Ok(()),
            None => self.park(lane, seq, limit),
        }
    }

    /// Sleeps until the lane's response line shows `seq`. Abandons the call on an error.
    #[cold]
    fn park(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
        limit: &mut Limit,
    ) -> Result<(), ChannelError> {
        self.collect_before_sleep();
        let outcome = match self.backend.portable() {
            None => {
                let mask = &self.wait_line(lane)[wait::PARKED];
                let bit = Layout::lane_bit(lane);
                // Before the fence of `park::parked`: see `still_parked`.
                self.parked.fetch_add(1, Relaxed);
                let sleep = || self.sleep_by_futex(lane, seq, limit);
                let outcome = park::parked::<Mapped, _>(mask, bit, sleep);
                self.parked.fetch_sub(1, Relaxed);
                outcome
            }
            Some(_) => {
                let mut pauses = PollPauses::new();
                self.sleep_on(lane, seq, limit, |_, until| {
                    self.make_room();
                    pauses.sleep(until);
                })
            }
        };
        if outcome.is_err() {
            self.abandon(Ticket::new(lane as u32, seq));
        }
        outcome
    }

    fn sleep_by_futex(&self, lane: usize, seq: u64, limit: &mut Limit) -> Result<(), ChannelError> {
        let word = &self.response_line(lane)[line::SEQ];
        let mut stall_timer = StallTimer::new();
        self.sleep_on(lane, seq, limit, |shown, until| {
            if futex::wait(word, shown as u32, stall_timer.wake_at(until)) == Woken::TimedOut {
                self.ask_for_thread(lane, seq, &mut stall_timer, Instant::now());
            }
        })
    }

    /// Calls `sleep` until the line shows `seq`, the connection ends or `limit` passes. `sleep`
    /// gets the seq that the line shows now and the time at which to return at the latest.
    fn sleep_on(
        &self,
        lane: usize,
        seq: u64,
        limit: &mut Limit,
        mut sleep: impl FnMut(u64, Option<Instant>),
    ) -> Result<(), ChannelError> {
        let line = self.response_line(lane);
        loop {
            let shown = lines::shows::<Mapped>(line);
            if shown == seq {
                return Ok(());
            }
            if let Some(why) = self.lost() {
                return self.pending_end(lane, seq, why);
            }
            if limit.has_passed() {
                return Err(ChannelError::TimedOut);
            }
            sleep(shown, limit.instant());
        }
    }

    /// Polls for the answer. Wakes itself again while spinning is worthwhile. After that it has
    /// `cx` woken when the answer arrives, the connection ends or `limit` passes. `receive` is as
    /// in [`wait_answer`](Self::wait_answer).
    #[inline]
    pub fn poll_answer<R>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        mut receive: impl FnMut(Answer) -> R,
    ) -> Poll<Result<R, ChannelError>> {
        self.check_mapped()?;
        let lane = self.lanes.get(ticket.lane as usize);
        if !lane.is_owned_again_by(*ticket) {
            self.deadlines.clear_for(*ticket);
            return Poll::Ready(self.take_completed(*ticket).map(receive));
        }
        match self.poll_response(cx, ticket, limit, &mut receive) {
            Poll::Pending => {
                let asleep = matches!(lane.looks(), Looks::Asleep);
                lane.ownership.lend(ticket.seq, LanePhase::Collectable);
                if asleep {
                    self.make_room_of(*ticket);
                }
                Poll::Pending
            }
            ready => ready,
        }
    }

    /// Does [`poll_answer`](Self::poll_answer) for the owner of the lane.
    #[inline]
    fn poll_response<R>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        receive: &mut impl FnMut(Answer) -> R,
    ) -> Poll<Result<R, ChannelError>> {
        let lane = ticket.lane as usize;
        loop {
            match self.poll_line(cx, lane, ticket.seq, limit) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => {
                    self.abandon_owned(*ticket);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(())) => {}
            }
            match self.take_response(lane, ticket.seq, receive) {
                Ok(Taken::Answer(received)) => return Poll::Ready(Ok(received)),
                Ok(Taken::More(next)) => ticket.seq = next,
                Ok(Taken::Acknowledged) => return Poll::Ready(Err(self.accuse(UNASKED))),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Takes a response off its lane, whose seq the caller has seen. After an answer the lane is
    /// free. After an error the lane is free or abandoned, or the connection has ended.
    #[inline]
    fn take_response<R>(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
        receive: &mut impl FnMut(Answer) -> R,
    ) -> Result<Taken<R>, ChannelError> {
        let copied = lines::copy_out::<Mapped>(self.response_line(lane));
        let taken = match self.half.codec.short_answer(lane, &copied) {
            Some(answer) => Ok(Taken::Answer(receive(answer.arrived()))),
            None => {
                self.collect_if_abandoned();
                match self.read_copied(lane, seq, &copied) {
                    Ok(Taken::Answer(Ok(answer))) => Ok(Taken::Answer(receive(answer))),
                    Ok(Taken::Answer(Err(error))) => {
                        self.free_lane(lane);
                        return Err(error);
                    }
                    Ok(Taken::More(next)) => Ok(Taken::More(next)),
                    Ok(Taken::Acknowledged) => Ok(Taken::Acknowledged),
                    Err(error) => Err(error),
                }
            }
        };
        match &taken {
            Ok(Taken::Answer(_)) => self.free_lane(lane),
            Ok(Taken::More(_) | Taken::Acknowledged) => {}
            Err(ChannelError::NoMemory { .. } | ChannelError::AnswerTooLarge { .. }) => {
                self.abandon_owned(Ticket::new(lane as u32, seq));
            }
            Err(error) => self.end_if_broken(*error),
        }
        taken
    }

    /// Reads a response, and neither frees the lane nor ends the connection: the caller must do
    /// that.
    pub(super) fn read_response(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
    ) -> Result<Taken, ChannelError> {
        let copied = lines::copy_out::<Mapped>(self.response_line(lane));
        match self.half.codec.short_answer(lane, &copied) {
            Some(answer) => Ok(Taken::Answer(Ok(answer.arrived()))),
            None => self.read_copied(lane, seq, &copied),
        }
    }

    /// Reads a copied line of any kind. Requests the next segment, if the line carries one.
    pub(super) fn read_copied(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
        copied: &Copied,
    ) -> Result<Taken, ChannelError> {
        let Some(head) = Head::from_word(copied.head) else {
            return Err(ChannelError::Misbehaved("an answer of a kind that does not exist"));
        };
        self.half.codec.check_leases(head).map_err(ChannelError::Misbehaved)?;
        let half = &self.half;
        let opened = match head.kind {
            LineKind::Inline => {
                half.codec.open_short(lane, head, &copied.inline).map(|body| Some(body.into()))
            }
            LineKind::Buffered => half.read_buffer(lane, head),
            LineKind::Block => match self.check_answer(head) {
                Ok(()) => open_block(self, lane, head, &copied.inline),
                Err(refused) => return self.refuse_block(lane, &copied.inline, refused),
            },
            LineKind::Segment => return self.take_segment(lane, seq, head, &copied.inline),
            LineKind::Next => return Ok(Taken::Acknowledged),
            LineKind::Discard => return Ok(Taken::Answer(Err(ChannelError::PeerNoMemory))),
        };
        let Some(payload) = opened.map_err(ChannelError::Misbehaved)? else {
            return Ok(Taken::Answer(Err(ChannelError::NoMemory { len: head.len as usize })));
        };
        if head.tag & LEASES == 0 {
            return Ok(Taken::Answer(Ok(Answer::new(head.tag, payload))));
        }
        if head.kind != LineKind::Inline {
            return Err(ChannelError::Misbehaved("an answer with leases that is not in its line"));
        }
        let payload = take_leases(self, payload).map_err(ChannelError::Misbehaved)?;
        Ok(Taken::Answer(Ok(Answer::new(head.tag & !LEASES, payload))))
    }

    /// Refuses an answer that is longer than this client accepts. The server chooses what it sends, up to
    /// 4 GiB a lane.
    fn check_answer(&self, head: Head) -> Result<(), ChannelError> {
        let (len, max) = (head.len as usize, self.max_answer_len);
        if len > max { Err(ChannelError::AnswerTooLarge { len, max }) } else { Ok(()) }
    }

    /// Releases the block of an answer that is refused with `error`.
    #[cold]
    fn refuse_block(
        &self,
        lane: usize,
        inline: &InlineWords,
        error: ChannelError,
    ) -> Result<Taken, ChannelError> {
        let block = self.half.checked_block(inline).map_err(ChannelError::Misbehaved)?;
        self.half.drop_block(lane, &block).map_err(ChannelError::Misbehaved)?;
        Ok(Taken::Answer(Err(error)))
    }

    /// Adds a segment to its answer. Requests the next one first, so that the server fills it
    /// meanwhile.
    fn take_segment(
        self: &Arc<Self>,
        lane: usize,
        seq: u64,
        head: Head,
        inline: &InlineWords,
    ) -> Result<Taken, ChannelError> {
        let block = self.half.checked_block(inline).map_err(ChannelError::Misbehaved)?;
        let private = self.lanes.get(lane);
        let mut reassembly = match private.reassembly().take() {
            Some(reassembly) => reassembly,
            None => self.begin_reassembly(head)?,
        };
        let segment = Segment { lane, head, start: inline[2], block: &block };
        let mut next = seq;
        let appended = self.half.codec.append(&mut reassembly, segment, self.half.source(), || {
            next = private.next_seq();
            self.publish(lane, next, &ReadyLine::bare(LineKind::Next));
        });
        appended.map_err(|refused| ChannelError::Misbehaved(refused.rule()))?;
        self.half.release(&block);
        match reassembly.whole() {
            Ok(bytes) => {
                let answer = Answer::new(head.tag, Payload::Whole(bytes));
                return Ok(Taken::Answer(Ok(answer)));
            }
            Err(reassembly) => *private.reassembly() = Some(reassembly),
        }
        debug_assert_eq!(next, seq + 1);
        Ok(Taken::More(next))
    }

    fn begin_reassembly(&self, head: Head) -> Result<Reassembly, ChannelError> {
        let len = head.len as usize;
        if len > self.half.max_message_len {
            return Err(ChannelError::Misbehaved("an answer over the connection's limit"));
        }
        self.check_answer(head)?;
        Reassembly::begin(head).map_err(|_| ChannelError::NoMemory { len })
    }
}

pub const UNASKED: &str = "it took a segment that was not sent";
