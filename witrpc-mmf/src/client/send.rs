//! Sends without waiting, and publishes requests.

use std::borrow::Borrow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use witrpc_transport::{Body, ChannelError, DisconnectReason, Outgoing, Short, Ticket};

use crate::link::ready_line::ReadyLine;
use crate::link::sealed::KeysExhausted;
use crate::link::sender::{Part, with_leases};
use crate::link::state;
use crate::memory::layout::{HIGH_WATER, STATE, control};
use crate::memory::send_arena::Reserved;
use crate::memory::words::ReadWord;

use super::Client;
use super::lanes::Looks;

/// A lane that was taken and carries nothing yet. Dropping it frees the lane: when a send fails, or
/// when a message's body panics.
pub(super) struct UnusedLane<'a> {
    pub client: &'a Client,
    pub lane: usize,
}

impl Drop for UnusedLane<'_> {
    fn drop(&mut self) {
        self.client.free_lane(self.lane);
    }
}

impl Client {
    /// Sends without ever waiting. Returns `None` if no lane or no space is free, or if the body
    /// needs segments; use [`poll_send`](Self::poll_send) then.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], [`ChannelError::ShuttingDown`] while the server drains, or the
    /// reason why the connection is gone. Nothing was sent then.
    #[inline]
    pub fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.check_connected()?;
        let Some(lane) = self.take_unqueued() else { return Ok(None) };
        let unused = UnusedLane { client: self, lane };
        let sent = self.try_send_block(lane, message);
        if matches!(sent, Ok(Some(_))) {
            std::mem::forget(unused);
        }
        sent
    }

    #[inline]
    pub(super) fn check_connected(&self) -> Result<(), ChannelError> {
        self.check_sending(false)
    }

    /// Checks that a request may be sent. While the server drains, only one that `continues` a call
    /// that has begun may be.
    #[inline]
    pub(super) fn check_sending(&self, continues: bool) -> Result<(), ChannelError> {
        self.check_mapped()?;
        match self.lost.get() {
            Some(why) => Err(self.end(*why)),
            // The server may have looked for the last time already, or would have to look again for
            // this request.
            None if !continues && self.is_drained() => Err(ChannelError::ShuttingDown),
            None => Ok(()),
        }
    }

    /// Returns whether the server takes no new requests. Relaxed: the server answers a request that
    /// it found before it wrote the word. One that it never finds ends with the connection.
    #[inline]
    pub(super) fn is_drained(&self) -> bool {
        let state = self.half.peer.head_word(STATE).load(Relaxed);
        state == state::DRAINING || state == state::DRAINED
    }

    /// Refuses to go on in a forked child, where no region is mapped and no lock can be trusted.
    #[inline]
    pub(super) fn check_mapped(&self) -> Result<(), ChannelError> {
        if self.half.origin.is_forked() {
            return Err(ChannelError::Disconnected(DisconnectReason::Forked));
        }
        Ok(())
    }

    /// Sends a message in its line or in the lane's buffer, if it fits there. Returns `None` if it is
    /// longer.
    ///
    /// # Errors
    ///
    /// The keys are exhausted on this lane, which ends the connection.
    pub(super) fn send_without_block(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
    ) -> Result<Option<Ticket>, ChannelError> {
        if self.half.codec.is_spent(lane, false) {
            return Err(self.keys_spent(KeysExhausted));
        }
        let line = self.half.fill_without_block(lane, message);
        let line = line.map_err(|spent| self.keys_spent(spent))?;
        Ok(line.map(|line| self.send_line(lane, message.deadline, &line)))
    }

    /// Ends the connection, before a message number is used twice.
    #[cold]
    fn keys_spent(&self, _: KeysExhausted) -> ChannelError {
        self.lose(DisconnectReason::KeysSpent);
        ChannelError::Disconnected(DisconnectReason::KeysSpent)
    }

    fn try_send_block(
        &self,
        lane: usize,
        message: Outgoing<'_>,
    ) -> Result<Option<Ticket>, ChannelError> {
        if let Body::Leasing { body, leases } = message.body {
            let max = self.half.send_arena.largest_block();
            let send = |message: Outgoing<'_>| self.try_send_block(lane, message);
            return with_leases(message, body, leases, max, send);
        }
        let half = &self.half;
        let len = half.check_len(&message)?;
        if let Some(sent) = self.send_without_block(lane, &message)? {
            return Ok(Some(sent));
        }
        let part = half.part(0, len);
        if !part.is_last() {
            return Ok(None);
        }
        let Some(block) = half.reserve(part) else { return Ok(None) };
        self.send_part(lane, &message, part, block).map(Some)
    }

    /// Writes a part of a message to the space that was reserved for it, and publishes it.
    pub(super) fn send_part(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
        part: Part,
        block: Reserved<'_>,
    ) -> Result<Ticket, ChannelError> {
        let line = self.half.fill(lane, message, part, block);
        let line = line.map_err(|spent| self.keys_spent(spent))?;
        Ok(self.send_line(lane, message.deadline, &line))
    }

    /// Publishes a line of a request, with its deadline if it has one.
    #[inline]
    pub(super) fn send_line(
        &self,
        lane: usize,
        deadline: Option<Instant>,
        line: &ReadyLine<impl Borrow<Short>>,
    ) -> Ticket {
        if let Some(deadline) = deadline {
            self.write_deadline(lane, deadline);
        }
        let private = self.lanes.get(lane);
        let seq = private.next_seq();
        private.set_looks(Looks::NotGranted);
        self.raise_high_water(lane);
        self.publish(lane, seq, line);
        Ticket::new(lane as u32, seq)
    }

    /// Writes the deadline to the lane's control line. Relaxed: the release of the line that
    /// follows orders it.
    #[cold]
    fn write_deadline(&self, lane: usize, deadline: Instant) {
        let word = self.half.layout.control_word(lane, control::DEADLINE);
        self.half.own.word64(word).store(self.clock_offset.nanos_at(deadline), Relaxed);
    }

    /// Publishes a line and rings the server if it sleeps.
    #[inline]
    pub(super) fn publish(&self, lane: usize, seq: u64, ready: &ReadyLine<impl Borrow<Short>>) {
        ready.publish(self.request_line(lane), seq);
        self.ring_if_asleep();
    }

    /// Raises the high water, the number of lanes that the server scans, to include `lane`. It
    /// never falls. Relaxed: the release of the line that follows orders it.
    #[inline]
    pub(super) fn raise_high_water(&self, lane: usize) {
        let high_water = self.half.own.head_word(HIGH_WATER);
        if high_water.load(Relaxed) <= lane as u64 {
            high_water.fetch_max(lane as u64 + 1, Relaxed);
        }
    }
}
