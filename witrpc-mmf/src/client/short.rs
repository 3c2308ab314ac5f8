//! The fast path of a short call: its request goes from registers into a line, or into the lane's buffer,
//! and its answer comes out of a line.
//!
//! It does what [`send`](super::send) and [`receive`](super::receive) do for a call that needs
//! nothing else, on the same lanes and under the same rules. The lane is taken like any other. Only
//! its owner publishes on it, takes the answer off it and gives it back.
//!
//! Where a call needs more, the caller goes on with those. If no lane is free, nothing has happened
//! yet. If the answer is late, long or of another kind, the lane is as [`send`](super::send) would
//! leave it.

use witrpc_transport::{Body, Exchange, Outgoing, Short, ShortAnswer};

use crate::link::head::{Head, Kind, LEASES};
use crate::link::line as lines;
use crate::link::message::Ticket;
use crate::link::sender::ReadyLine;
use crate::memory::words::Mapped;

use super::Client;
use super::lanes::Looks;
use super::send::UnusedLane;

impl Client {
    /// Sends a short request and spins for its answer. See
    /// [`ClientChannel::exchange_short`](witrpc_transport::ClientChannel::exchange_short).
    #[inline]
    pub fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        let Some((lane, seq)) = self.try_send_short(tag, body) else { return Exchange::NotSent };
        self.spin_for_short(lane, seq)
    }

    /// Sends a request that fits the lane's line or its buffer, and spins for its answer. See
    /// [`ClientChannel::exchange`](witrpc_transport::ClientChannel::exchange).
    pub fn exchange(&self, message: &Outgoing<'_>) -> Exchange {
        let is_short_enough = match message.body {
            Body::Small { .. } => self.half.codec.is_plain(),
            Body::Large(fill) => fill.len() <= self.half.longest_buffered(),
            _ => false,
        };
        if !is_short_enough || self.check_connected().is_err() {
            return Exchange::NotSent;
        }
        let Some(lane) = self.take_unqueued() else { return Exchange::NotSent };
        let unused = UnusedLane { client: self, lane };
        let line = match message.body {
            Body::Small { padded, len } => Some(ReadyLine::short(message, padded, len)),
            _ => self.half.fill_buffer(lane, message),
        };
        let Some(line) = line else { return Exchange::NotSent };
        std::mem::forget(unused);
        let ticket = self.send_line(lane, message, &line);
        self.wait_for_short(lane, ticket.seq)
    }

    /// Spins for an answer, out of line, where the instructions of the wait count for no call.
    #[inline(never)]
    fn wait_for_short(&self, lane: usize, seq: u64) -> Exchange {
        self.spin_for_short(lane, seq)
    }

    /// Spins for the answer to a request that was published, and takes it if it is short.
    #[inline]
    fn spin_for_short(&self, lane: usize, seq: u64) -> Exchange {
        let line = self.response_line(lane);
        let arrived = || (lines::shows::<Mapped>(line) == seq).then_some(());
        let answer =
            self.spin.until(arrived).and_then(|()| short_answer(&lines::copy_out::<Mapped>(line)));
        match answer {
            Some(answer) => {
                self.free_lane(lane);
                Exchange::Answered(answer)
            }
            None => {
                self.lanes.get(lane).set_looks(Looks::Spun);
                Exchange::Sent(Ticket::new(lane as u32, seq))
            }
        }
    }

    /// Sends a short request, if messages are not sealed, a lane is free and no call waits for one. Returns
    /// the lane and the seq.
    #[inline]
    pub(super) fn try_send_short(&self, tag: u32, body: &Short) -> Option<(usize, u64)> {
        if !self.half.codec.is_plain() || self.check_connected().is_err() {
            return None;
        }
        let lane = self.take_unqueued()?;
        Some((lane, self.publish_short(lane, tag, body)))
    }

    #[inline]
    fn publish_short(&self, lane: usize, tag: u32, body: &Short) -> u64 {
        let private = self.lanes.get(lane);
        let seq = private.next_seq();
        private.set_looks(Looks::NotGranted);
        self.raise_high_water(lane);
        let head = Head::new(Kind::Inline, tag, body.len() as u32).to_word();
        let used = body.len().div_ceil(8);
        lines::publish::<Mapped>(self.request_line(lane), seq, head, body.words(), used);
        self.ring_if_asleep();
        seq
    }
}

/// Returns the answer if the copied line itself holds it, without leases.
#[inline]
pub(super) fn short_answer(copied: &lines::Copied) -> Option<ShortAnswer> {
    let Head { kind, tag, len, .. } = Head::from_word(copied.head)?;
    if kind != Kind::Inline || tag & LEASES != 0 {
        return None;
    }
    let body = Short::of_words(copied.inline, len as usize)?;
    Some(ShortAnswer::new(tag, body))
}
