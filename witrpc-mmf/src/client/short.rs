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

use witrpc_transport::{Body, Exchange, Outgoing, Short, Ticket};

use crate::link::half::Half;
use crate::link::line as lines;
use crate::link::ready_line::ReadyLine;
use crate::link::sealed::KeysExhausted;
use crate::link::sender::with_leases;
use crate::memory::words::Mapped;

use super::Client;
use super::lanes::Looks;
use super::send::UnusedLane;

impl Client {
    /// Sends a short request and spins for its answer. See
    /// [`ClientChannel::exchange_short`](witrpc_transport::ClientChannel::exchange_short).
    #[inline]
    pub fn exchange_short(&self, tag: u32, body: &Short) -> Exchange {
        match self.send_short(tag, body) {
            Some(ticket) => self.spin_for_short(ticket),
            None => Exchange::NotSent,
        }
    }

    /// Sends a request that fits the lane's line or its buffer, with any leases, and spins for its answer. See
    /// [`ClientChannel::exchange`](witrpc_transport::ClientChannel::exchange).
    pub fn exchange(&self, message: &Outgoing<'_>) -> Exchange {
        let sent = match message.body {
            Body::Leasing { body, leases } => {
                let max = self.half.longest_buffered();
                let send = |message: Outgoing<'_>| Ok(self.send_without_waiters(&message));
                with_leases(*message, body, leases, max, send).ok().flatten()
            }
            _ => self.send_without_waiters(message),
        };
        sent.map_or(Exchange::NotSent, |ticket| self.wait_for_short(ticket))
    }

    /// Sends a request that fits the lane's line or its buffer, if no call waits for a lane.
    fn send_without_waiters(&self, message: &Outgoing<'_>) -> Option<Ticket> {
        let is_short_enough = match message.body {
            Body::Small { len, .. } => self.half.codec.fits_line(len),
            Body::Large(fill) => fill.len() <= self.half.longest_buffered(),
            _ => false,
        };
        if !is_short_enough || self.check_connected().is_err() {
            return None;
        }
        let lane = self.take_unqueued()?;
        let line = self.fill_short(lane, |half| half.fill_without_block(lane, message))?;
        Some(self.send_line(lane, message.deadline, &line))
    }

    /// Spins for an answer, out of line, where the instructions of the wait count for no call.
    #[inline(never)]
    fn wait_for_short(&self, ticket: Ticket) -> Exchange {
        self.spin_for_short(ticket)
    }

    /// Spins for the answer to a request that was published, and takes it if it is short.
    #[inline]
    fn spin_for_short(&self, ticket: Ticket) -> Exchange {
        let lane = ticket.lane as usize;
        let line = self.response_line(lane);
        let arrived = || (lines::shows::<Mapped>(line) == ticket.seq).then_some(());
        let found = self.spin.until(arrived);
        let take = |()| self.half.codec.short_answer(lane, &lines::copy_out::<Mapped>(line));
        match found.and_then(take) {
            Some(answer) => {
                self.free_lane(lane);
                Exchange::Answered(answer)
            }
            None => {
                self.lanes.get(lane).set_looks(Looks::Spun);
                Exchange::Sent(ticket)
            }
        }
    }

    /// Sends a short request, if it may go this way, a lane is free and no call waits for one. See
    /// [`ClientChannel::send_short`](witrpc_transport::ClientChannel::send_short).
    #[inline]
    pub fn send_short(&self, tag: u32, body: &Short) -> Option<Ticket> {
        if !self.half.codec.is_plain() {
            return self.send_sealed(tag, body);
        }
        if self.check_connected().is_err() {
            return None;
        }
        let lane = self.take_unqueued()?;
        Some(self.send_line(lane, None, &ReadyLine::short(tag, body)))
    }

    /// Does [`send_short`](Self::send_short) where messages are sealed.
    #[inline(never)]
    fn send_sealed(&self, tag: u32, body: &Short) -> Option<Ticket> {
        if !self.half.codec.fits_line(body.len()) || self.check_connected().is_err() {
            return None;
        }
        let lane = self.take_unqueued()?;
        let line = ReadyLine::short(tag, *body);
        let line = self.fill_short(lane, |half| half.codec.seal_short(lane, line))?;
        Some(self.send_line(lane, None, &line))
    }

    /// Returns the line that `fill` makes on a lane of this thread. Returns `None`, and has freed the lane,
    /// if there is none, or if the lane's message numbers might be used up: the general path reports it.
    #[inline]
    fn fill_short(
        &self,
        lane: usize,
        fill: impl FnOnce(&Half) -> Result<Option<ReadyLine>, KeysExhausted>,
    ) -> Option<ReadyLine> {
        let unused = UnusedLane { client: self, lane };
        if self.half.codec.is_spent(lane, false) {
            return None;
        }
        let line = fill(&self.half).ok().flatten()?;
        std::mem::forget(unused);
        Some(line)
    }
}
