//! Reads request lines, and assembles segments.
//!
//! # Invariants
//!
//! 1. A line is copied out once, when it may be taken. Whether it has to wait, its kind and its
//!    content are decided on that copy. What the client writes meanwhile has no effect.
//! 2. While a thread takes [`Only`] some requests, no line becomes a different request: neither a
//!    line that is a request by itself, nor the last segment of one. Such a line stays on its lane,
//!    untaken, until there is a thread for it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{Only, Payload, Request, Short, ShortRequest, Ticket};

use crate::link::head::{Head, LEASES, LineKind, MESSAGE_LEN_BOUNDS};
use crate::link::lease::take_leases;
use crate::link::line;
use crate::link::line::{Copied, InlineWords};
use crate::link::message_codec::Segment;
use crate::link::ready_line::ReadyLine;
use crate::link::reassembly::Reassembly;
use crate::link::receiver::open_block;
use crate::link::sealed::Cipher;
use crate::memory::arena::BlockRef;
use crate::memory::layout::{INLINE_LEN, LINE_WORDS};
use crate::memory::words::{Mapped, PeerU64};

use super::connection::{Connection, LaneSeqs, ServerLane};

/// How many messages of the largest length may be held for a client before its short requests have
/// to wait too.
const MESSAGES_HELD: usize = 4;

/// What a line turned out to be.
pub enum InboundLine {
    /// A request to be served.
    Request(Request),
    /// Something else, which has been handled.
    Done,
    /// It has to wait, and stays on its lane.
    Waits,
}

/// A lane as the poller sees it.
#[derive(Clone, Copy)]
pub struct InboundLane<'c> {
    lane: usize,
    line: &'c [PeerU64; LINE_WORDS],
    seqs: &'c LaneSeqs,
}

impl InboundLane<'_> {
    /// Returns the seq of a request that has not been taken.
    #[inline]
    pub fn waiting(self) -> Option<u64> {
        let shown = line::shows::<Mapped>(self.line);
        (shown != self.seqs.taken.load(Relaxed)).then_some(shown)
    }
}

/// A rule that the client broke, which ends the connection.
#[derive(Debug)]
pub struct Broken(pub &'static str);

impl Connection {
    /// Returns a lane, to be looked at for a request.
    #[inline]
    pub(super) fn inbound(&self, lane: usize) -> InboundLane<'_> {
        InboundLane { lane, line: self.request_line(lane), seqs: self.seqs(lane) }
    }

    /// Returns whether any lane has a request that the memory budget does not hold up and `only`
    /// does not refuse. A request that is held up is looked at again when the client fetches or
    /// releases something, for which it rings.
    pub(super) fn anything_to_take(&self, only: Option<Only<'_>>) -> bool {
        let would_wait = |lane| {
            // This copy decides only about the sleep: nothing is taken by it.
            let copied = line::copy_out::<Mapped>(self.request_line(lane));
            Head::from_word(copied.head).is_some_and(|head| {
                only.is_some_and(|only| self.is_left_by(lane, head, &copied, only))
                    || self.is_held_up(lane, head)
            })
        };
        (0..self.high_water())
            .any(|lane| self.inbound(lane).waiting().is_some() && !would_wait(lane))
    }

    /// Returns whether the request on `lane` has to wait until the client has fetched answers.
    fn is_held_up(&self, lane: usize, head: Head) -> bool {
        let held = self.held.load(Relaxed);
        held > self.half.max_message_len && self.is_over_budget(lane, head, held)
    }

    /// Returns whether the request on `lane` has to wait while `held` bytes are held for the
    /// client. A request of which segments were taken goes on. A long request waits first, and a
    /// short one only when more is held, so that a client may leave some large answers unfetched.
    fn is_over_budget(&self, lane: usize, head: Head, held: usize) -> bool {
        match head.kind {
            LineKind::Inline => held > self.half.max_message_len.saturating_mul(MESSAGES_HELD),
            LineKind::Buffered | LineKind::Block => true,
            LineKind::Segment => self.lanes[lane].inbound().is_none(),
            LineKind::Next | LineKind::Discard => false,
        }
    }

    /// Returns whether a thread that takes [`Only`] some requests must leave this line: because it
    /// is another request, its first segment, or the segment that completes it.
    fn is_left_by(&self, lane: usize, head: Head, copied: &Copied, only: Only<'_>) -> bool {
        match head.kind {
            LineKind::Next | LineKind::Discard => false,
            _ if only(self.id(), head.tag & !LEASES) => false,
            LineKind::Inline | LineKind::Buffered | LineKind::Block => true,
            LineKind::Segment => {
                let inbound = self.lanes[lane].inbound();
                let Some(begun) = inbound.as_ref() else { return true };
                // A line without a valid block ends the connection when it is taken.
                let block = self.half.checked_block(&copied.inline);
                block.is_ok_and(|block| begun.missing() <= self.half.codec.carried(block.len()))
            }
        }
    }

    /// Copies out the line of the request `seq` on `lane`, if that may be the next one. Only the poller
    /// calls this.
    #[inline]
    pub(super) fn copy_line(&self, lane: InboundLane<'_>, seq: u64) -> Result<Copied, Broken> {
        let before = lane.seqs.taken.load(Relaxed);
        if seq != before + 1 {
            return Err(Broken("a seq that does not follow the one before"));
        }
        if let Some(rule) = self.suspicion() {
            return Err(Broken(rule));
        }
        if lane.seqs.answered.load(Relaxed) != before {
            return Err(Broken("a request on a lane whose call has not been answered"));
        }
        Ok(line::copy_out::<Mapped>(lane.line))
    }

    /// Takes the request `seq` off `lane`, whose line has been copied, if it is short, has neither leases
    /// nor a deadline, and need not wait. [`take_line`](Self::take_line) takes any other, also one that does
    /// not open. A sealed request is opened into `opened`.
    #[inline]
    pub(super) fn take_short<'c>(
        &self,
        lane: InboundLane<'_>,
        seq: u64,
        copied: &'c Copied,
        opened: &'c mut Option<Short>,
    ) -> Option<ShortRequest<'c>> {
        const { assert!(INLINE_LEN <= MESSAGE_LEN_BOUNDS.0, "it is within any connection's limit") }
        let (tag, len) = Head::short_of_word(copied.head)?;
        let ticket = Ticket::new(lane.lane as u32, seq);
        let peer = (&self.client_info, &self.session);
        if self.held.load(Relaxed) > self.half.max_message_len {
            return None;
        }
        let words = match self.half.codec.cipher() {
            None => &copied.inline,
            Some(cipher) => self.open_request(cipher, lane.lane, copied, opened)?,
        };
        let request = ShortRequest::of_words(peer, ticket, tag, words, len as usize)?;
        lane.seqs.taken.store(seq, Relaxed);
        Some(request)
    }

    /// Opens a sealed request, unless its answer might use up the lane's message numbers.
    #[inline(never)]
    fn open_request<'c>(
        &self,
        cipher: &Cipher,
        lane: usize,
        copied: &Copied,
        opened: &'c mut Option<Short>,
    ) -> Option<&'c InlineWords> {
        if cipher.is_spent(lane, true) {
            return None;
        }
        Some(opened.insert(cipher.open_short(lane, copied)?).words())
    }

    /// Takes the request `ticket`, whose line has been copied, unless it has to wait or `only` refuses it.
    #[cold]
    pub(super) fn take_line(
        self: &Arc<Self>,
        ticket: Ticket,
        copied: &Copied,
        only: Option<Only<'_>>,
    ) -> Result<InboundLine, Broken> {
        let lane = ticket.lane as usize;
        let head = Head::from_word(copied.head).ok_or(Broken("a kind that does not exist"))?;
        if head.len as usize > self.half.max_message_len {
            return Err(Broken("a message over the connection's limit"));
        }
        if only.is_some_and(|only| self.is_left_by(lane, head, copied, only))
            || self.is_held_up(lane, head)
        {
            return Ok(InboundLine::Waits);
        }
        // No answer must use up the lane's message numbers.
        if self.half.codec.is_spent(lane, true) {
            return Err(Broken("a call on a lane whose numbers are used up"));
        }
        self.seqs(lane).taken.store(ticket.seq, Relaxed);
        self.open_line(ticket, head, copied)
    }

    fn request(&self, ticket: Ticket, head: Head, payload: Payload) -> Request {
        let deadline = head.deadline.then(|| self.deadline(ticket.lane as usize));
        Request::new(ticket, head.tag, payload, deadline)
    }

    fn open_line(
        self: &Arc<Self>,
        ticket: Ticket,
        head: Head,
        copied: &Copied,
    ) -> Result<InboundLine, Broken> {
        let (half, lane) = (&self.half, ticket.lane as usize);
        half.codec.check_leases(head).map_err(Broken)?;
        let opened = match head.kind {
            LineKind::Inline => {
                half.codec.open_short(lane, head, &copied.inline).map(|body| Some(body.into()))
            }
            LineKind::Buffered => half.read_buffer(lane, head),
            LineKind::Block => open_block(self, lane, head, &copied.inline),
            LineKind::Segment => return self.take_segment(ticket, head, &copied.inline),
            LineKind::Next => return self.send_next(ticket).map(|()| InboundLine::Done),
            LineKind::Discard => return Ok(self.discard(ticket)),
        };
        let Some(payload) = opened.map_err(Broken)? else {
            return Ok(self.respond_dropped(ticket));
        };
        if head.tag & LEASES == 0 {
            return Ok(InboundLine::Request(self.request(ticket, head, payload)));
        }
        let payload = take_leases(self, payload).map_err(Broken)?;
        let head = Head { tag: head.tag & !LEASES, ..head };
        Ok(InboundLine::Request(self.request(ticket, head, payload)))
    }

    /// Adds a segment to its request. Before it copies the bytes, it lets the client send the next
    /// segment. The last segment completes the request. The lane's lock is held meanwhile: another
    /// thread that takes the next segment adds it after this one.
    fn take_segment(
        self: &Arc<Self>,
        ticket: Ticket,
        head: Head,
        inline: &InlineWords,
    ) -> Result<InboundLine, Broken> {
        let block = self.half.checked_block(inline).map_err(Broken)?;
        let mut slot = self.lanes[ticket.lane as usize].inbound();
        let begun =
            slot.take().or_else(|| self.begin_inbound(&self.lanes[ticket.lane as usize], head));
        let Some(mut inbound) = begun else { return self.refuse(ticket, &block) };
        let segment = Segment { lane: ticket.lane as usize, head, start: inline[2], block: &block };
        let appended = self.half.codec.append(&mut inbound, segment, self.half.source(), || {
            self.respond(ticket, &ReadyLine::bare(LineKind::Next));
        });
        appended.map_err(|refused| Broken(refused.rule()))?;
        self.half.release(&block);
        let total = inbound.total();
        match inbound.whole() {
            Ok(bytes) => {
                self.unhold(total);
                return Ok(InboundLine::Request(self.request(ticket, head, Payload::Whole(bytes))));
            }
            Err(inbound) => *slot = Some(inbound),
        }
        Ok(InboundLine::Done)
    }

    /// Begins to assemble a request. Returns `None` if there is no memory for so long a message.
    fn begin_inbound(&self, lane: &ServerLane, head: Head) -> Option<Reassembly> {
        // Only a client that breaks the rules has left something: at most one message is held for
        // each lane.
        self.drop_outbound(lane);
        let inbound = Reassembly::begin(head).ok()?;
        self.hold(inbound.total());
        Some(inbound)
    }

    /// Drops a request for which there is no memory, and tells the client. `block` is its first
    /// segment.
    #[cold]
    fn refuse(&self, ticket: Ticket, block: &BlockRef) -> Result<InboundLine, Broken> {
        self.half.drop_block(ticket.lane as usize, block).map_err(Broken)?;
        Ok(self.respond_dropped(ticket))
    }

    /// Tells the client that a message has been dropped.
    fn respond_dropped(&self, ticket: Ticket) -> InboundLine {
        self.respond(ticket, &ReadyLine::bare(LineKind::Discard));
        InboundLine::Done
    }

    /// Drops the rest of a large message, of either direction, and tells the client.
    fn discard(&self, ticket: Ticket) -> InboundLine {
        self.drop_large(&self.lanes[ticket.lane as usize]);
        self.respond_dropped(ticket)
    }

    /// Drops what is held of large messages on a lane, of either direction.
    pub(super) fn drop_large(&self, lane: &ServerLane) {
        if let Some(inbound) = lane.inbound().take() {
            self.unhold(inbound.total());
        }
        self.drop_outbound(lane);
    }

    pub(super) fn hold(&self, bytes: usize) {
        self.held.fetch_add(bytes, Relaxed);
    }

    pub(super) fn unhold(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Relaxed);
    }
}
