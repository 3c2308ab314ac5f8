//! The quick way of a short call: its request out of registers into a line, its answer out of a line.
//!
//! It does what [`send`](super::send) and [`receive`](super::receive) do for a call that needs nothing
//! else, on the same lanes and under the same rules: the lane is taken like any other, only its owner
//! publishes on it and takes the answer off, and it is given back like any other. What turns out to
//! need more (no lane is free, the answer is late, long or of another kind) goes on there: until the
//! request is published nothing has happened, and after that the lane is as they left it.

use witrpc_transport::{Exchange, Short, ShortAnswer};

use crate::link::head::{Head, Kind, LEASES};
use crate::link::line as lines;
use crate::link::message::Ticket;
use crate::memory::words::Mapped;

use super::Client;
use super::lanes::Looks;

impl Client {
    /// See [`ClientChannel::exchange_short`](witrpc_transport::ClientChannel::exchange_short).
    #[inline]
    pub fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        if !self.half.codec.is_plain() || self.check_connected().is_err() {
            return Exchange::NotSent;
        }
        let Some(lane) = self.take_unqueued() else { return Exchange::NotSent };
        let seq = self.publish_short(lane, tag, body);
        let line = self.response_line(lane);
        let arrived = || (lines::shows::<Mapped>(line) == seq).then_some(());
        let answer =
            self.spin.until(arrived).and_then(|()| short_answer(&lines::copy_out::<Mapped>(line)));
        match answer {
            Some(answer) => {
                self.free_lane(lane);
                Exchange::Answered(answer)
            }
            None => Exchange::Sent(Ticket::new(lane as u32, seq)),
        }
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

/// The answer that a copied line holds itself, without leases.
#[inline]
fn short_answer(copied: &lines::Copied) -> Option<ShortAnswer> {
    let Head { kind, tag, len, .. } = Head::from_word(copied.head)?;
    if kind != Kind::Inline || tag & LEASES != 0 {
        return None;
    }
    let body = Short::of_words(copied.inline, len as usize)?;
    Some(ShortAnswer::new(tag, body))
}
