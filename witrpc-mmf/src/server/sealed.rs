//! What a server does differently when messages are sealed.

use crate::link::head::{Head, Kind};
use crate::link::line::Copied;
use crate::link::message::{Body, ChannelError, Outgoing, Payload, Request, Ticket};
use crate::link::message_codec::{BlockSource, Unopened};
use crate::link::sealed::{AuthError, Cipher, FORGED, INLINE_SEALED, KeysExhausted};
use crate::memory::arena::BlockRef;

use super::connection::Connection;
use super::inbound::{Broken, Line};

impl Connection {
    /// Refuses a lane that has come near the end of its numbers: no answer is to.
    pub(super) fn check_numbers(&self, lane: usize) -> Result<(), Broken> {
        match self.carriage.sealing() {
            Some(sealing) if sealing.is_spent(lane, true) => {
                Err(Broken("a call on a lane whose numbers are used up"))
            }
            _ => Ok(()),
        }
    }

    /// Opens a request that came in its line.
    pub(super) fn open_inline(
        &self,
        sealing: &Cipher,
        ticket: Ticket,
        head: Head,
        copied: &Copied,
    ) -> Result<Request, Broken> {
        let bytes = sealing.open_inline(ticket.lane as usize, head, &copied.inline);
        let bytes = bytes.map_err(|AuthError| Broken(FORGED))?;
        // It has opened, so it is short.
        Ok(self.request(ticket, head, Payload::Small { bytes, len: head.len as u8 }))
    }

    /// Opens a request that came in a block, which is released.
    pub(super) fn open_block(
        &self,
        sealing: &Cipher,
        ticket: Ticket,
        head: Head,
        block: &BlockRef,
    ) -> Result<Line, Broken> {
        match sealing.open_whole(ticket.lane as usize, head, block, self.source()) {
            Ok(bytes) => {
                self.release(block);
                Ok(Line::Request(self.request(ticket, head, Payload::from_private(bytes))))
            }
            Err(Unopened::NoMemory) => self.refuse(ticket, block),
            Err(Unopened::Broken(rule)) => Err(Broken(rule)),
        }
    }

    /// Where the client's blocks lie.
    pub(super) fn source(&self) -> BlockSource<'_> {
        BlockSource { peer: &self.client, arena: self.layout.client_arena() }
    }

    /// Answers in the line, if messages are sealed and the answer is short enough.
    pub(super) fn answer_inline_sealed(
        &self,
        ticket: Ticket,
        answer: &Outgoing<'_>,
    ) -> Result<bool, ChannelError> {
        let (Some(sealing), Body::Small { padded, len: len @ ..=INLINE_SEALED }) =
            (self.carriage.sealing(), answer.body)
        else {
            return Ok(false);
        };
        let head = Head::new(Kind::Inline, answer.tag, len as u32);
        let sealed = sealing.seal_inline(ticket.lane as usize, head, padded, len);
        let (inline, used) = sealed.map_err(unheard)?;
        self.respond(ticket, head, &inline, used);
        Ok(true)
    }
}

/// Nobody will hear the answer: the client's next use of the lane ends the connection.
pub(super) fn unheard(_: KeysExhausted) -> ChannelError {
    ChannelError::PeerDied
}

#[cfg(test)]
impl Connection {
    pub(crate) fn sealing(&self) -> &Cipher {
        self.carriage.sealing().expect("messages are sealed")
    }
}
