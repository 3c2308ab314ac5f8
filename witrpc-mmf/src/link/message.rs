//! Messages, as `witrpc-transport` defines them, and the bytes of a short message as the words of a
//! line.

use crate::memory::layout::INLINE_LEN;

pub use witrpc_transport::{
    Answer, Body, ChannelError, DisconnectReason, Fill, Leasing, Limit, Outgoing, Payload,
    RemoteBytes, Request, Ticket,
};

/// The bounds of the longest message of a connection, in bytes.
pub const MESSAGE_LEN_BOUNDS: (usize, usize) = (64, u32::MAX as usize);

/// Returns the words of a line's payload as bytes.
#[inline]
pub fn inline_bytes(words: [u64; INLINE_LEN / 8]) -> [u8; INLINE_LEN] {
    let mut bytes = [0; INLINE_LEN];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Returns the bytes of a short message as the words of a line.
#[inline]
pub fn inline_words(bytes: &[u8; INLINE_LEN]) -> [u64; INLINE_LEN / 8] {
    let mut words = [0; INLINE_LEN / 8];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_ne_bytes(*chunk);
    }
    words
}
