//! What a server does differently when messages are sealed.

use crate::link::head::Head;
use crate::link::line::Copied;
use crate::link::message::{Payload, Request, Ticket};
use crate::link::message_codec::Unopened;
use crate::link::sealed::{AuthError, Cipher, FORGED};
use crate::memory::arena::BlockRef;

use super::connection::Connection;
use super::inbound::{Broken, Line};

impl Connection {
    /// Refuses a lane that has come near the end of its numbers: no answer is to.
    pub(super) fn check_numbers(&self, lane: usize) -> Result<(), Broken> {
        match self.half.codec.sealing() {
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
        match sealing.open_whole(ticket.lane as usize, head, block, self.half.source()) {
            Ok(bytes) => {
                self.half.release(block);
                Ok(Line::Request(self.request(ticket, head, Payload::from_private(bytes))))
            }
            Err(Unopened::NoMemory) => self.refuse(ticket, block),
            Err(Unopened::Broken(rule)) => Err(Broken(rule)),
        }
    }
}

#[cfg(test)]
impl Connection {
    pub(crate) fn sealing(&self) -> &Cipher {
        self.half.codec.sealing().expect("messages are sealed")
    }
}
