//! The sealing of frames with the keys of a connection.
//!
//! # Invariant
//!
//! A direction has one [`FrameSealer`] for its greeting and one for its messages, and each counts its pieces.
//! The greeting counts from 0 and has fewer than [`FIRST_MESSAGE_NUMBER`] pieces, the messages count from there
//! on. So no number seals twice.

use std::sync::Arc;

use witrpc_transport::{COUNTER_BITS, FIRST_MESSAGE_NUMBER, Keys, MAX_PIECE_LEN, TAG_LEN};

use super::frame::{LENGTH_LEN, with_length};

/// The keys of a connection, or `None` where frames cross in clear.
pub type FrameKeys = Option<Arc<dyn Keys>>;

/// What one direction sends.
pub struct FrameSealer(Numbered);

/// What one direction receives.
pub struct FrameOpener(Numbered);

struct Numbered {
    keys: FrameKeys,
    /// The number of the next piece.
    next: u64,
}

impl Numbered {
    fn number(&mut self) -> Option<u64> {
        let number = self.next;
        self.next += 1;
        (number >> COUNTER_BITS == 0).then_some(number)
    }
}

/// Returns the longest sealed content of an unsealed one of at most `len` bytes.
pub fn max_sealed_len(keys: &FrameKeys, len: usize) -> usize {
    if keys.is_some() { len + len.div_ceil(MAX_PIECE_LEN) * TAG_LEN } else { len }
}

impl FrameSealer {
    /// Seals a hello, or its answer.
    pub fn of_greeting(keys: FrameKeys) -> Self {
        Self(Numbered { keys, next: 0 })
    }

    /// Seals messages.
    pub fn of_messages(keys: FrameKeys) -> Self {
        Self(Numbered { keys, next: FIRST_MESSAGE_NUMBER })
    }

    /// Returns a frame as it is sent, or `None` if the keys are used up.
    pub fn seal(&mut self, frame: Vec<u8>) -> Option<Vec<u8>> {
        let Some(keys) = self.0.keys.clone() else { return Some(frame) };
        let content = &frame[LENGTH_LEN..];
        let mut sealed =
            Vec::with_capacity(LENGTH_LEN + max_sealed_len(&self.0.keys, content.len()));
        sealed.extend([0; LENGTH_LEN]);
        for piece in content.chunks(MAX_PIECE_LEN) {
            let start = sealed.len();
            sealed.extend_from_slice(piece);
            let tag = keys.seal(self.0.number()?, &mut sealed[start..]);
            sealed.extend_from_slice(&tag);
        }
        Some(with_length(sealed))
    }
}

impl FrameOpener {
    /// Opens a hello, or its answer.
    pub fn of_greeting(keys: FrameKeys) -> Self {
        Self(Numbered { keys, next: 0 })
    }

    /// Opens messages.
    pub fn of_messages(keys: FrameKeys) -> Self {
        Self(Numbered { keys, next: FIRST_MESSAGE_NUMBER })
    }

    pub fn keys(&self) -> &FrameKeys {
        &self.0.keys
    }

    /// Returns a content as it was before it was sealed, or `None` if the other side has not sealed it.
    pub fn open(&mut self, mut content: Vec<u8>) -> Option<Vec<u8>> {
        let Some(keys) = self.0.keys.clone() else { return Some(content) };
        let (mut from, mut to) = (0, 0);
        while from < content.len() {
            let end = content.len().min(from + MAX_PIECE_LEN + TAG_LEN);
            let (piece, tag) = content[from..end].split_last_chunk_mut()?;
            if !keys.open(self.0.number()?, piece, *tag) {
                return None;
            }
            let len = piece.len();
            content.copy_within(from..from + len, to);
            (from, to) = (end, to + len);
        }
        content.truncate(to);
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use witrpc_transport::{Initiator, Plain, Responder};

    use super::super::frame;
    use super::*;

    fn keys() -> FrameKeys {
        let begun = Plain::new(true).begin(&[]).unwrap();
        let response = Plain::new(true).respond(&[], &begun.message).unwrap().unwrap();
        Some(response.keys.into())
    }

    #[test]
    fn frames_of_many_pieces_open_in_their_order_and_in_no_other() {
        let (mut sealer, mut opener) =
            (FrameSealer::of_messages(keys()), FrameOpener::of_messages(keys()));
        for len in [0, 1, MAX_PIECE_LEN - 1, MAX_PIECE_LEN, 3 * MAX_PIECE_LEN] {
            let plain = frame::hello(&vec![7; len]);
            let sealed = sealer.seal(plain.clone()).unwrap();
            let max = max_sealed_len(&keys(), plain.len() - LENGTH_LEN);
            assert_eq!(sealed.len() - LENGTH_LEN, max);
            let opened = opener.open(sealed[LENGTH_LEN..].to_vec()).unwrap();
            assert_eq!(opened, plain[LENGTH_LEN..]);
        }
        let first = sealer.seal(frame::drain()).unwrap();
        let second = sealer.seal(frame::drain()).unwrap();
        assert!(opener.open(second[LENGTH_LEN..].to_vec()).is_none());
        let mut opener = FrameOpener::of_messages(keys());
        assert!(opener.open(first[LENGTH_LEN..].to_vec()).is_none());
        assert!(opener.open(vec![0; TAG_LEN - 1]).is_none(), "no room for a tag");
    }
}
