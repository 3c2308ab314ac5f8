//! Tests with peers that break the rules: the other side ends that connection, and nothing else.

mod broken_arena;
mod client;
mod leases;
mod memory;
mod sealed;
mod server;
mod short_future;

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::Short;

use crate::link::head::{Head, LEASES, LineKind};
use crate::link::line;
use crate::link::line::{InlineWords, line_of};
use crate::memory::arena::GRANULE_BYTES;
use crate::memory::copy::{OwnMemory, Pages, PeerMemory};
use crate::memory::layout::{INLINE_LEN, LINE_WORDS, Layout, MAX_BUFFER_LEN};
use crate::memory::region;
use crate::memory::words::{Mapped, PeerU64};
use crate::name::Name;
use crate::rendezvous::{Established, Place};
use crate::sys::doorbell::Doorbell;

/// More lanes than are looked at before the turn of the next client.
const LANES: u32 = 20;
const REGION_LEN: usize = 1 << 16;
/// Less than the arena, so that a block may be in the arena and over the limit.
const MAX_MESSAGE_LEN: usize = 20_000;

/// One end of a connection, driven by hand.
struct Raw {
    own: OwnMemory,
    peer: PeerMemory,
    layout: Layout,
    doorbell: Doorbell,
}

impl Raw {
    /// Creates an end. `arena` returns where the arena of this side begins.
    fn new(established: Established, arena: impl Fn(&Layout) -> usize) -> Self {
        let layout = Layout::new(LANES, established.own.len()).expect("the regions hold the lanes");
        let (own, _) = region::own(established.own, &layout, arena(&layout));
        let peer = region::peer(established.peer, &layout);
        Self { own, peer, layout, doorbell: Doorbell::new(established.doorbell) }
    }

    fn line(&self, offset: usize) -> &[AtomicU64; LINE_WORDS] {
        line_of(self.own.words64(offset, LINE_WORDS))
    }

    fn peer_line(&self, offset: usize) -> &[PeerU64; LINE_WORDS] {
        line_of(self.peer.words64(offset, LINE_WORDS))
    }

    fn set(&self, offset: usize, value: u64) {
        self.own.word64(offset).store(value, Relaxed);
    }

    /// Publishes on the line at `offset`.
    fn say(&self, offset: usize, seq: u64, said: Said) {
        line::publish::<Mapped>(self.line(offset), seq, said.head, &said.inline, 6);
    }
}

/// The head and the words of a line.
#[derive(Clone, Copy, Debug)]
struct Said {
    head: u64,
    inline: InlineWords,
}

impl Said {
    fn kind(kind: LineKind, len: usize) -> Self {
        Self { head: Head::new(kind, 0, len as u32).to_word(), inline: [0; 6] }
    }

    /// Returns a line of a kind that is given by its bits, whether it exists or not.
    fn bits(bits: u64) -> Self {
        Self { head: bits << 60, inline: [0; 6] }
    }

    /// Returns a line of a block of `len` bytes at the start of the arena, for a message of that
    /// length.
    fn block(len: usize) -> Self {
        Self::kind(LineKind::Block, len).at(0, 1, len)
    }

    /// Returns a line of a segment at the start of the arena: `len` bytes from `start` on, of
    /// `total`.
    fn segment(total: usize, start: usize, len: usize) -> Self {
        let mut said = Self::kind(LineKind::Segment, total).at(0, 1, len);
        said.inline[2] = start as u64;
        said
    }

    /// Moves the block to another place, in the arena or outside.
    fn at(mut self, granule: u64, generation: u64, len: usize) -> Self {
        (self.inline[0], self.inline[1]) = (granule | generation << 32, len as u64);
        self
    }

    /// Returns a message of leases only: granule, generation and length of each.
    fn leases(leases: &[[u64; 3]]) -> Self {
        let mut bytes = [0; INLINE_LEN];
        for (words, lease) in bytes.as_chunks_mut::<16>().0.iter_mut().zip(leases) {
            let [granule, generation, len] = *lease;
            words[..8].copy_from_slice(&(granule | generation << 32).to_ne_bytes());
            words[8..].copy_from_slice(&len.to_ne_bytes());
        }
        let len = leases.len() * 16 + 1;
        bytes[len - 1] = leases.len() as u8;
        Self { inline: words_of(&bytes), ..Self::kind(LineKind::Inline, len).leasing() }
    }

    /// Sets the flag for leases.
    fn leasing(mut self) -> Self {
        self.head |= u64::from(LEASES) << 32;
        self
    }

    /// Replaces the byte at `at` of the line.
    fn with_byte(mut self, at: usize, value: u8) -> Self {
        let line = Short::of_words(self.inline, INLINE_LEN).expect("it fits in a line");
        let mut bytes = *line.padded();
        bytes[at] = value;
        self.inline = words_of(&bytes);
        self
    }

    fn with_tag(mut self, tag: u64) -> Self {
        self.head |= tag << 32;
        self
    }

    fn tagged(self) -> Self {
        self.with_tag(1)
    }
}

/// Returns sequences of lines on one lane that no honest peer writes. In each, only the last line
/// is invalid. They are the same in either direction.
fn broken_lines() -> Vec<Vec<Said>> {
    let beyond = (REGION_LEN / GRANULE_BYTES) as u64;
    let of = Said::segment;
    vec![
        vec![Said::bits(0)],
        vec![Said::bits(7)],
        vec![Said::kind(LineKind::Inline, INLINE_LEN + 1)],
        vec![Said::kind(LineKind::Inline, u32::MAX as usize)],
        vec![Said::kind(LineKind::Buffered, MAX_BUFFER_LEN + 1)],
        vec![Said::kind(LineKind::Buffered, u32::MAX as usize)],
        vec![Said::block(100).at(beyond, 1, 100)],
        vec![Said::block(100).at(u32::MAX.into(), 1, 100)],
        vec![Said::block(100).at(0, 0, 100)],
        vec![Said::block(REGION_LEN)],
        vec![Said::block(100).at(0, 1, usize::MAX)],
        vec![Said::block(100).at(0, 1, 99)],
        vec![Said::block(MAX_MESSAGE_LEN + 1)],
        vec![of(MAX_MESSAGE_LEN + 1, 0, 100)],
        vec![of(u32::MAX as usize, 0, 100)],
        vec![of(1_000, 0, 0)],
        vec![of(1_000, 1, 100)],
        vec![of(1_000, 0, 1_001)],
        vec![of(1_000, 0, 100), of(1_000, 0, 100)],
        vec![of(1_000, 0, 100), of(1_000, 200, 100)],
        vec![of(1_000, 0, 100), of(1_000, 100, 901)],
        vec![of(1_000, 0, 100), of(1_000, 100, 0)],
        vec![of(1_000, 0, 100), of(50, 100, 10)],
        vec![of(1_000, 0, 100), of(1_001, 100, 100)],
        vec![of(1_000, 0, 100), of(MAX_MESSAGE_LEN, 100, 10_000)],
        vec![of(1_000, 0, 100), of(1_000, 100, 100).tagged()],
        vec![of(1_000, 0, 100), of(1_000, 100, 100).at(beyond, 1, 100)],
    ]
}

/// Returns lines that name invalid leases, by a peer to which nothing was leased yet.
fn broken_leases() -> Vec<Said> {
    let beyond = (REGION_LEN / GRANULE_BYTES) as u64;
    let lease = Said::leases;
    vec![
        // No descriptions, or ones that do not fit the message.
        Said::kind(LineKind::Inline, 0).leasing(),
        Said::kind(LineKind::Inline, 5).leasing(),
        Said::kind(LineKind::Inline, INLINE_LEN + 1).leasing(),
        lease(&[[0, 1, 100]]).with_byte(16, 0),
        lease(&[[0, 1, 100]]).with_byte(16, 2),
        lease(&[[0, 1, 100]]).with_byte(16, 17),
        lease(&[[0, 1, 100]]).with_byte(16, 255),
        // At the end of a block that is all zeros.
        Said::block(100).leasing(),
        // Outside the arena.
        lease(&[[beyond, 1, 1]]),
        lease(&[[u32::MAX.into(), 1, 1]]),
        lease(&[[0, 1, REGION_LEN as u64]]),
        lease(&[[0, 1, u64::MAX]]),
        lease(&[[1, 1, 1], [2, 1, u64::MAX - 256]]),
        // Of no generation, or of one that is not the next.
        lease(&[[0, 0, 1]]),
        lease(&[[0, 2, 1]]),
        lease(&[[0, u32::MAX.into(), 1]]),
        // One granule twice.
        lease(&[[3, 1, 10], [3, 1, 10]]),
        lease(&[[3, 1, 0], [3, 1, 0]]),
        lease(&[[3, 1, 257], [4, 1, 1]]),
        lease(&[[4, 1, 1], [3, 1, 600]]),
        // Messages with leases travel in one piece.
        Said::segment(1_000, 0, 100).leasing(),
    ]
}

/// A name in its own directory, which is removed with it.
struct Site {
    directory: std::path::PathBuf,
    place: Place,
    name: Name,
}

impl Site {
    fn new() -> Self {
        let name = Name::unguessable().unwrap();
        let directory = std::env::temp_dir().join(format!("witrpc-hostile-{}", name.as_str()));
        Self { place: Place::in_dir(&directory), directory, name }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn words_of(bytes: &[u8; INLINE_LEN]) -> InlineWords {
    *Short::of_padded(bytes, INLINE_LEN).expect("it fits in a line").words()
}
