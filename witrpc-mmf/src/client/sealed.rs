//! What a client does differently when messages are sealed.

use std::sync::Arc;

use crate::link::head::{Head, Kind};
use crate::link::line::InlineWords;
use crate::link::message::{ChannelError, DisconnectReason, Payload};
use crate::link::message_codec::Unopened;
use crate::link::sealed::{AuthError, Cipher, FORGED, KeysExhausted, sealed_len};
use crate::memory::arena::BlockRef;

use super::Client;

impl Client {
    /// The connection has to end before a number is used twice.
    #[cold]
    pub(super) fn keys_spent(&self, _: KeysExhausted) -> ChannelError {
        self.lose(DisconnectReason::KeysSpent);
        ChannelError::Disconnected(DisconnectReason::KeysSpent)
    }

    /// Opens an answer that came in its line.
    pub(super) fn open_inline(
        sealing: &Cipher,
        lane: usize,
        head: Head,
        inline: &InlineWords,
    ) -> Result<Payload, ChannelError> {
        let bytes = sealing.open_inline(lane, head, inline).map_err(misbehaved)?;
        // It has opened, so it is short.
        Ok(Payload::Small { bytes, len: head.len as u8 })
    }

    /// Opens an answer that came in a block, which is released; or passes it over, if this process
    /// has no memory for it.
    pub(super) fn open_block(
        self: &Arc<Self>,
        sealing: &Cipher,
        lane: usize,
        head: Head,
        block: &BlockRef,
    ) -> Result<Result<Payload, ChannelError>, ChannelError> {
        let payload = match sealing.open_whole(lane, head, block, self.half.source()) {
            Ok(bytes) => Ok(Payload::from_private(bytes)),
            Err(Unopened::NoMemory) => {
                self.pass_over(lane, head.kind, Some(block))?;
                Err(ChannelError::NoMemory { len: head.len as usize })
            }
            Err(Unopened::Broken(rule)) => return Err(ChannelError::Misbehaved(rule)),
        };
        self.half.release(block);
        Ok(payload)
    }

    /// Keeps count of an answer that nobody opens.
    pub(super) fn pass_over(
        &self,
        lane: usize,
        kind: Kind,
        block: Option<&BlockRef>,
    ) -> Result<(), ChannelError> {
        let Some(sealing) = self.half.codec.sealing() else { return Ok(()) };
        let passed = match (kind, block) {
            (Kind::Inline, _) => sealing.pass_over(lane, sealed_len(0)),
            (_, Some(block)) => sealing.pass_over(lane, block.len()),
            // No part of a message.
            _ => Ok(()),
        };
        passed.map_err(misbehaved)
    }
}

fn misbehaved(_: AuthError) -> ChannelError {
    ChannelError::Misbehaved(FORGED)
}

#[cfg(test)]
impl Client {
    pub(crate) fn sealing(&self) -> &Cipher {
        self.half.codec.sealing().expect("messages are sealed")
    }
}
