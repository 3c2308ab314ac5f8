//! The hostile end of a connection: its memory, its view of the peer's, and lines that no honest
//! peer writes.

use std::cell::RefCell;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::Short;

use crate::link::head::{Head, LEASES, LineKind};
use crate::link::line;
use crate::link::line::{InlineWords, line_of};
use crate::link::sealed::{Cipher, INLINE_SEALED, sealed_len};
use crate::memory::arena::{Block, GRANULE_BYTES, Released};
use crate::memory::copy::{OwnMemory, PeerMemory};
use crate::memory::layout::{HIGH_WATER, INLINE_LEN, LINE_WORDS, Layout, STATE, WANTS_SPACE};
use crate::memory::region;
use crate::memory::region::{OwnPages, PeerPages};
use crate::memory::words::Mapped;

use super::script::Script;

/// The bits of a byte that says how to write a line. The lower bits give its kind.
const AS_THE_SCRIPT_SAYS: u8 = 1 << 3;
const WITH_LEASES: u8 = 1 << 4;
const FILLED: u8 = 1 << 5;

/// The hostile end of a connection.
pub(super) struct Hostile {
    own: OwnMemory,
    pub(super) peer: PeerMemory,
    pub(super) layout: Layout,
    /// Nearly all of its arena, to write blocks to.
    paper: RefCell<Block>,
    /// Set for an end that has the keys, and seals what it forges.
    cipher: Option<Cipher>,
}

/// A release table without releases, since nothing was lent.
struct Nothing;

impl Released for Nothing {
    fn is_released(&self, _granule: u32, _generation: u32) -> bool {
        false
    }
}

impl Hostile {
    /// Creates an end whose arena begins at `arena` in its region.
    pub(super) fn new(
        own: OwnPages,
        peer: PeerPages,
        layout: Layout,
        arena: usize,
        cipher: Option<Cipher>,
    ) -> Self {
        let (own, send_arena) = region::own(own, &layout, arena);
        let paper = send_arena.reserve_leases(&[send_arena.largest_lease()], &Nothing);
        let paper = paper.expect("nothing is taken yet").remove(0);
        let peer = region::peer(peer, &layout);
        Self { own, peer, layout, paper: RefCell::new(paper), cipher }
    }

    pub(super) fn set(&self, offset: usize, value: u64) {
        self.own.word64(offset).store(value, Relaxed);
    }

    /// Writes the line of `lane` at `offset` as the script says: usually a line that could be
    /// valid, and usually with the seq `seq`.
    pub(super) fn write_line(&self, lane: usize, offset: usize, seq: u64, script: &mut Script<'_>) {
        let how = script.byte();
        let seq = match how >> 6 {
            0 => script.word(),
            _ => seq,
        };
        let (head, inline) = match how & 7 {
            kind @ 1..=6 => {
                let kinds = [
                    LineKind::Inline,
                    LineKind::Block,
                    LineKind::Segment,
                    LineKind::Next,
                    LineKind::Discard,
                    LineKind::Buffered,
                ];
                let kind = kinds[usize::from(kind) - 1];
                let mut head = Head::new(kind, script.byte().into(), script.short().into());
                if how & WITH_LEASES != 0 {
                    head.tag |= LEASES;
                }
                self.body(lane, how, head, script)
            }
            _ => (script.word(), words(how, script)),
        };
        let line = line_of::<_>(self.own.words64(offset, LINE_WORDS));
        line::publish::<Mapped>(line, seq, head, &inline, inline.len());
    }

    /// Returns the head and the words of a line of an existing kind.
    fn body(
        &self,
        lane: usize,
        how: u8,
        mut head: Head,
        script: &mut Script<'_>,
    ) -> (u64, InlineWords) {
        if how & FILLED == 0 {
            return (head.to_word(), words(how, script));
        }
        let mut bytes = [0; INLINE_LEN];
        match head.kind {
            LineKind::Inline => {
                let len = described(how, &mut bytes, script);
                head.len = len as u32;
                let Some(cipher) = &self.cipher else {
                    return (head.to_word(), *short(&bytes, INLINE_LEN).words());
                };
                let len = len.min(INLINE_SEALED);
                head.len = len as u32;
                let body = short(&bytes, len);
                let sealed = cipher.seal_inline(lane, head, &body);
                (self.told(head, how), sealed.map_or([0; 6], |sealed| *sealed.words()))
            }
            LineKind::Block | LineKind::Segment => {
                let granule = usize::from(script.byte());
                let part = usize::from(script.short()) % 4_000;
                let start = script.short().into();
                let end = described(how, &mut bytes, script).min(part);
                let written = self.write_block(lane, head, granule, part, &bytes[..end]);
                let Some((place, len)) = written else { return (self.told(head, how), [0; 6]) };
                (self.told(head, how), [place, len, start, 0, 0, 0])
            }
            LineKind::Next | LineKind::Discard | LineKind::Buffered => {
                (head.to_word(), words(how, script))
            }
        }
    }

    /// Returns the head for the line, which may differ from the one that was sealed.
    fn told(&self, head: Head, how: u8) -> u64 {
        head.to_word() ^ u64::from(how & AS_THE_SCRIPT_SAYS) << 32
    }

    /// Writes a part of a message that ends with the bytes `end` to a place of the arena. Returns
    /// its description for a line.
    fn write_block(
        &self,
        lane: usize,
        head: Head,
        granule: usize,
        part: usize,
        end: &[u8],
    ) -> Option<(u64, u64)> {
        let mut paper = self.paper.borrow_mut();
        let first = paper.offset() / GRANULE_BYTES;
        let start = granule * GRANULE_BYTES;
        let len = self.cipher.as_ref().map_or(part, |_| sealed_len(part));
        let block = self.own.block_mut(&mut paper).get_mut(start..start + len)?;
        let fill = |offset: usize, out: &mut [u8]| {
            for (byte, at) in out.iter_mut().zip(offset..) {
                *byte = (at + end.len()).checked_sub(part).map_or(7, |at| end[at]);
            }
        };
        match &self.cipher {
            None => fill(0, block),
            Some(cipher) => cipher.seal(lane, head, part, fill, block).ok()?,
        }
        Some(((first + granule) as u64 | 1 << 32, len as u64))
    }

    /// Writes a word that is not on a line.
    pub(super) fn write_word(&self, release: usize, script: &mut Script<'_>) {
        let words = [STATE, HIGH_WATER, WANTS_SPACE];
        match usize::from(script.byte() % 4) {
            word @ 0..3 => self.set(words[word], script.word()),
            _ => {
                let slot = usize::from(script.byte()) % self.layout.granules();
                let generation = script.byte().into();
                self.own.word32(release + slot * 4).store(generation, Relaxed);
            }
        }
    }
}

/// Returns the words of a line from the script: the description of a possible block, or arbitrary
/// words.
fn words(how: u8, script: &mut Script<'_>) -> InlineWords {
    if how & AS_THE_SCRIPT_SAYS != 0 {
        return std::array::from_fn(|_| script.word());
    }
    let place = u64::from(script.byte()) | u64::from(script.byte()) << 32;
    [place, script.short().into(), script.short().into(), 0, 0, 0]
}

/// Writes the end of a message: with leases, their descriptions. Returns its length.
fn described(how: u8, bytes: &mut [u8; INLINE_LEN], script: &mut Script<'_>) -> usize {
    if how & WITH_LEASES == 0 {
        return usize::from(script.byte()) % (INLINE_LEN + 1);
    }
    let count = script.byte();
    let described = usize::from(count % 3);
    for description in bytes.as_chunks_mut::<16>().0.iter_mut().take(described) {
        description[0] = script.byte();
        description[4] = script.byte();
        description[8..10].copy_from_slice(&script.short().to_le_bytes());
    }
    let len = described * 16 + 1;
    // Usually as many as there are.
    bytes[len - 1] = if count < 250 { described as u8 } else { count };
    len
}

fn short(padded: &[u8; INLINE_LEN], len: usize) -> Short {
    Short::of_padded(padded, len).expect("it fits in a line")
}
