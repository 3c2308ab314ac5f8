//! Writing answers, without ever waiting for the client.
//!
//! A short answer travels in the response line, a longer one in a block of our arena. One that finds
//! no space, or is too long for a block, stays in private memory, charged to its connection: it is
//! sent when the client has released blocks, and in segments that the client fetches one by one.
//!
//! Answers that wait for space are sent in their order. Two kinds go past them:
//!
//! - Segments that the client has asked for. The space in front of them may be held by answers that
//!   are fetched only after this one, by a caller who fetches one after the other; the spare of the
//!   [`send_arena`](crate::memory::send_arena) is there for them.
//! - Short answers, so few bytes that those of all lanes together leave most of the arena to the
//!   longer ones. A client need not fetch in order, so an answer that waits for it to fetch others
//!   must not hold up every other call.
//!
//! What fills the arena may be answers that nobody fetches for now. While one finds no space the client
//! is rung, and moves them: see [`space_wanted`](super::space_wanted).
//!
//! An answer that takes leases along fits its line. So none waits here with leases, which would keep
//! the connection that keeps it.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_rt::lock;
use witrpc_transport::{Lent, ShortAnswer};

use crate::link::message::{Body, ChannelError, Outgoing, Ticket};
use crate::link::sealed::KeysExhausted;
use crate::link::sender::{ReadyLine, with_leases};
use crate::link::{line as lines, release};
use crate::memory::layout::{INLINE_LEN, Layout, WANTS_SPACE, line};
use crate::memory::send_arena::Purpose;
use crate::memory::words::Mapped;
use crate::wakeup::futex;
use crate::wakeup::park;

use super::answer_queue::{AnswerQueue, Outbound};
use super::connection::{Connection, ServerLane};
use super::inbound::Broken;
use super::space_wanted::SpaceWanted;

impl Connection {
    /// Answers a call. To be done once for each request, from any thread.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered. [`ChannelError::PeerDied`]: nobody
    /// is there to hear it.
    #[inline]
    pub fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        if !self.is_connected() {
            return Err(ChannelError::PeerDied);
        }
        // An answer has no deadline, so its head says that there is none.
        let answer = Outgoing::new(answer.tag, answer.body);
        match answer.body {
            Body::Small { padded, len } if self.half.codec.is_plain() => {
                self.respond(ticket, &ReadyLine::short(&answer, padded, len));
                Ok(())
            }
            Body::Leasing { body, leases } => self.answer_leasing(ticket, answer, body, leases),
            _ => self.answer_large(ticket, answer),
        }
    }

    /// Answers with a short message.
    ///
    /// # Errors
    ///
    /// [`ChannelError::PeerDied`]: nobody is there to hear it.
    #[inline]
    pub fn answer_short(&self, ticket: Ticket, answer: &ShortAnswer) -> Result<(), ChannelError> {
        if self.half.codec.is_plain() && self.is_connected() {
            self.respond(ticket, &ReadyLine::of_words(answer));
            return Ok(());
        }
        self.answer(ticket, answer.outgoing())
    }

    /// Answers with a body and what says which leases it takes along, all in the line.
    #[cold]
    fn answer_leasing(
        &self,
        ticket: Ticket,
        answer: Outgoing<'_>,
        body: &Body<'_>,
        leases: &[Lent],
    ) -> Result<(), ChannelError> {
        let respond = |answer: Outgoing<'_>| {
            let Body::Small { padded, len } = answer.body else {
                unreachable!("a body of at most {INLINE_LEN} bytes is a small one");
            };
            self.respond(ticket, &ReadyLine::short(&answer, padded, len));
            Ok(Some(()))
        };
        with_leases(answer, body, leases, INLINE_LEN, respond).map(drop)
    }

    fn answer_large(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        // Nobody will hear it: the client's next use of the lane ends the connection.
        let unheard = |KeysExhausted| ChannelError::PeerDied;
        let (half, number) = (&self.half, ticket.lane as usize);
        let len = half.check_len(&answer)?;
        if let Some(line) = half.seal_short(number, &answer).map_err(unheard)? {
            self.respond(ticket, &line);
            return Ok(());
        }
        let part = half.part(0, len);
        if part.is_last()
            && self.need_not_queue(len)
            && let Some(line) = half.try_fill(number, &answer, part).map_err(unheard)?
        {
            self.respond_block(ticket, &line);
            return Ok(());
        }
        let mut bytes = vec![0; len];
        answer.body.write_at(0, &mut bytes);
        let lane = &self.lanes[number];
        // Only a client that breaks the rules has left some: at most one message a lane is held.
        self.drop_large(lane);
        self.hold(len);
        let outbound = Outbound { ticket, tag: answer.tag, bytes, sent: 0 };
        *lane.outbound() = Some(outbound);
        if !self.is_connected() {
            // `let_go` may have been here before.
            self.drop_outbound(lane);
            return Err(ChannelError::PeerDied);
        }
        self.queue_answer(ticket.lane, Purpose::Begin);
        Ok(())
    }

    /// Whether an answer of `len` bytes goes past those that wait, or none do.
    fn need_not_queue(&self, len: usize) -> bool {
        let short = self.half.layout.arena_len() / 4 / self.lanes.len();
        len <= short || self.queue().begin.is_empty()
    }

    /// The client has taken a segment and asks for the next.
    pub(super) fn send_next(&self, ticket: Ticket) -> Result<(), Broken> {
        match &mut *self.lanes[ticket.lane as usize].outbound() {
            Some(outbound) if outbound.sent > 0 => outbound.ticket = ticket,
            _ => return Err(Broken("a request for a segment of no answer")),
        }
        self.queue_answer(ticket.lane, Purpose::Continue);
        Ok(())
    }

    /// Drops the answer that is held for a lane.
    pub(super) fn drop_outbound(&self, lane: &ServerLane) {
        if let Some(outbound) = lane.outbound().take() {
            self.unhold(outbound.bytes.len());
        }
    }

    /// Whether no answer is held in private memory.
    pub(super) fn has_delivered(&self) -> bool {
        self.lanes.iter().all(|lane| lane.outbound().is_none())
    }

    /// Sends what is in private memory for `lane`, when its turn has come and there is space.
    fn queue_answer(&self, lane: u32, purpose: Purpose) {
        self.queue().of(purpose).push_back(lane);
        self.flush_queue();
    }

    /// Sends what waits for space, as far as there is any; asks to be rung for the rest.
    pub(super) fn flush_queue(&self) {
        let mut queue = self.queue();
        self.space_wanted.relieve();
        for purpose in [Purpose::Continue, Purpose::Begin] {
            let lanes = queue.of(purpose);
            while let Some(&lane) = lanes.front() {
                let wants_space = self.half.own.head_word(WANTS_SPACE);
                let send = || self.send_outbound(lane).then_some(());
                if release::find_or_ask(&self.space_epochs, wants_space, send).is_none() {
                    break;
                }
                lanes.pop_front();
            }
        }
        let is_left = !(queue.begin.is_empty() && queue.go_on.is_empty());
        if is_left {
            self.space_wanted.leave();
        }
        drop(queue);
        if is_left {
            SpaceWanted::<Mapped>::announce(|| self.half.bell.ring());
        }
    }

    /// Forgets which answers wait: nobody hears them.
    pub(super) fn forget_queue(&self) {
        *self.queue() = AnswerQueue::default();
    }

    fn queue(&self) -> MutexGuard<'_, AnswerQueue> {
        lock(&self.queue)
    }

    /// Sends an answer from private memory, or its next segment. `false` when there is no space.
    fn send_outbound(&self, lane: u32) -> bool {
        let mut slot = self.lanes[lane as usize].outbound();
        // Called off meanwhile.
        let Some(outbound) = &mut *slot else { return true };
        let total = outbound.bytes.len();
        let half = &self.half;
        let part = half.part(outbound.sent, total);
        let body = Body::Large(outbound);
        let answer = Outgoing::new(outbound.tag, body);
        let line = match half.try_fill(lane as usize, &answer, part) {
            Ok(Some(line)) => line,
            Ok(None) => return false,
            // Nobody will hear it.
            Err(KeysExhausted) => return true,
        };
        let ticket = outbound.ticket;
        outbound.sent = part.end();
        if part.is_last() {
            *slot = None;
            self.unhold(total);
        }
        drop(slot);
        self.respond_block(ticket, &line);
        true
    }

    /// Publishes a block, or a segment.
    fn respond_block(&self, ticket: Ticket, line: &ReadyLine) {
        self.respond(ticket, line);
        // Behind the fence that follows every response.
        if self.space_wanted.is_there_after_fence() {
            self.half.bell.ring();
        }
    }

    /// Publishes a response, and wakes whoever sleeps on it.
    #[inline]
    pub(super) fn respond(&self, ticket: Ticket, ready: &ReadyLine) {
        let lane = ticket.lane as usize;
        // Before the response: whoever sees the request that follows it sees this.
        self.lanes[lane].answered.store(ticket.seq, Relaxed);
        let line = self.response_line(lane);
        let ReadyLine { head, inline, used } = ready;
        lines::publish::<Mapped>(line, ticket.seq, head.to_word(), inline, *used);
        let bit = Layout::lane_bit(lane);
        let to_wake = park::what_to_wake(self.wait_line(lane), bit, self.rung(lane));
        if to_wake.caller {
            futex::wake_own(&line[line::SEQ]);
        }
        if to_wake.link {
            self.half.bell.ring();
        }
    }
}
