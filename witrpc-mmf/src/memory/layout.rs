//! The offsets of everything in the two regions of a connection.
//!
//! A connection has a *client region*, which only the client writes, and a *server region*, which only
//! the server writes. Both have the same length, half of `size`, and arenas of the same length, so one
//! [`Layout`] describes both. `docs/memory-layout.md` draws it, and the const asserts below check the
//! drawing against the code.
//!
//! | client region          | server region          |
//! |------------------------|------------------------|
//! | state                  | state                  |
//! | high water             | wake requested         |
//! | wants space            | wants space, cancels   |
//! | wait lines             | claimed words          |
//! | request lines          | response lines         |
//! | control lines          |                        |
//! | request buffers        | response buffers       |
//! | release table          | release table          |
//! | arena                  | arena                  |

use super::arena::GRANULE_BYTES as GRANULE;

/// The length of a cache line. Words that two processes poll never share one.
pub const LINE: usize = 64;

/// The number of words in a line.
pub const LINE_WORDS: usize = LINE / 8;

/// How many bytes of a message fit in a line beside `seq` and `head`.
pub const INLINE_LEN: usize = LINE - 16;

const _: () = assert!(INLINE_LEN == witrpc_transport::SMALL_LEN);

/// The longest buffer of a lane in bytes: 512 bytes, and what an encoder adds to them. It is an odd number
/// of lines, so that the buffers of all lanes spread over a cache.
pub const MAX_BUFFER_LEN: usize = 9 * LINE;

/// The buffers of all lanes take at most one part in `BUFFERS_PART` of what a region has beyond the shortest.
const BUFFERS_PART: usize = 8;

/// How many lanes share one wait line: the number of bits in a word.
pub const GROUP: usize = 64;

/// The fewest lanes a connection can have.
pub const MIN_LANES: u32 = 1;

/// The most lanes a connection can have.
pub const MAX_LANES: u32 = 1024;

/// The smallest arena, so that a segment is never uselessly small.
const MIN_ARENA: usize = 16 * GRANULE;

/// The length of a region is a multiple of this.
pub const PAGE: usize = 4096;

/// The owner's state word (`u64`), in both regions.
pub const STATE: usize = 0;
/// Server region, on the line of the word before: `CLOCK_MONOTONIC` in nanoseconds as the server reads it when
/// the connection is made (`u64`). The client reads it once.
pub const CLOCK: usize = STATE + 8;
/// Client region: one past the highest lane ever used (`u64`).
pub const HIGH_WATER: usize = LINE;
/// Server region: the epoch to ring for, or 0 (`u64`).
pub const WAKE_REQUESTED: usize = LINE;
/// Both regions: whether the owner waits for its peer to release blocks (`u64`).
pub const WANTS_SPACE: usize = 2 * LINE;
/// Server region, on the line of the word before: the epoch to ring for when a call is cancelled, or 0
/// (`u64`). A client reads both words only in rare cases.
pub const WANTS_CANCEL: usize = WANTS_SPACE + 8;
/// The lines in front of the parts whose size depends on the number of lanes.
pub const HEAD_LINES: usize = 3;
/// Where these parts begin.
const PARTS: usize = HEAD_LINES * LINE;

/// The words of a request or response line.
pub mod line {
    /// Published last: the number of the call.
    pub const SEQ: usize = 0;
    /// LineKind, tag, length: see `head.rs`.
    pub const HEAD: usize = 1;
    /// The first of six words of payload, or of a block's description.
    pub const INLINE: usize = 2;
}

/// The words of a control line (client region, one for each lane).
pub mod control {
    /// The seq of the latest cancelled call on this lane, which never falls: see `cancel.rs`.
    pub const CANCELLED: usize = 0;
    /// The caller's deadline in `CLOCK_MONOTONIC` nanoseconds, if the head says that there is one.
    pub const DEADLINE: usize = 1;
}

/// The words of a wait line (client region, one for each group of lanes).
pub mod wait {
    /// One bit for each lane: a caller sleeps on the seq of its response line.
    pub const PARKED: usize = 0;
    /// The epoch to ring for, or 0: a caller of this group waits for the doorbell.
    pub const WAKE_REQUESTED: usize = 1;
}

const _: () = assert!(line::INLINE * 8 + INLINE_LEN == LINE);
const _: () = assert!(line::HEAD < line::INLINE && line::SEQ < line::INLINE);
const _: () = assert!(control::DEADLINE < LINE_WORDS && control::CANCELLED != control::DEADLINE);
const _: () = assert!(wait::WAKE_REQUESTED < LINE_WORDS && WANTS_CANCEL < WANTS_SPACE + LINE);
const _: () = assert!(CLOCK < STATE + LINE);
const _: () = assert!(PAGE.is_multiple_of(GRANULE) && PARTS.is_multiple_of(LINE));
const _: () = assert!((MAX_LANES as usize).is_multiple_of(GROUP));

/// The offsets that follow from the number of lanes and the length of a region. Each side computes them
/// from its own copy of the two numbers, and never reads them from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    lanes: usize,
    region_len: usize,
    client: Parts,
    server: Parts,
    arena_len: usize,
    buffer_len: usize,
}

/// The parts of one region. `lines` are request or response lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    /// Wait lines, or claimed words.
    notes: usize,
    lines: usize,
    /// Control lines; empty in the server's region.
    control: usize,
    buffers: usize,
    release: usize,
    arena: usize,
}

impl Layout {
    /// Returns the layout of regions of `region_len` bytes with `lanes` lanes; `None` if `lanes` is out
    /// of bounds or the region is too short for them.
    pub fn new(lanes: u32, region_len: usize) -> Option<Self> {
        if !(MIN_LANES..=MAX_LANES).contains(&lanes) {
            return None;
        }
        let lanes = lanes as usize;
        // A granule costs its own bytes and a word in the other region's release table. A page is
        // reserved for rounding the arena's start.
        let spare = region_len.checked_sub(client_fixed(lanes) + PAGE)?;
        let beyond_minimum = spare.saturating_sub(MIN_ARENA / GRANULE * (GRANULE + RELEASE_WORD));
        let buffer_len = (beyond_minimum / BUFFERS_PART / lanes / LINE * LINE).min(MAX_BUFFER_LEN);
        let spare = spare - lanes * buffer_len;
        let arena_len = spare / (GRANULE + RELEASE_WORD) * GRANULE;
        if arena_len < MIN_ARENA {
            return None;
        }
        let release_len = arena_len / GRANULE * RELEASE_WORD;
        let tables = [lanes * buffer_len, release_len];
        let client = Parts::new(wait_len(lanes), lanes, lanes, tables);
        let server = Parts::new(claimed_len(lanes), lanes, 0, tables);
        debug_assert!(client.arena + arena_len <= region_len);
        debug_assert!(server.arena + arena_len <= region_len);
        Some(Self { lanes, region_len, client, server, arena_len, buffer_len })
    }

    /// Returns the shortest region that holds `lanes` lanes, in whole pages.
    pub fn min_region_len(lanes: u32) -> usize {
        let granules = MIN_ARENA / GRANULE;
        let fixed = client_fixed(lanes as usize) + PAGE;
        (fixed + granules * (GRANULE + RELEASE_WORD)).next_multiple_of(PAGE)
    }

    pub fn lanes(&self) -> usize {
        self.lanes
    }

    pub fn groups(&self) -> usize {
        self.lanes.div_ceil(GROUP)
    }

    pub fn region_len(&self) -> usize {
        self.region_len
    }

    pub fn arena_len(&self) -> usize {
        self.arena_len
    }

    /// Returns the granules of either arena, which are also the slots of either release table.
    pub fn granules(&self) -> usize {
        self.arena_len / GRANULE
    }

    pub fn request_line(&self, lane: usize) -> usize {
        self.client.lines + lane * LINE
    }

    pub fn response_line(&self, lane: usize) -> usize {
        self.server.lines + lane * LINE
    }

    /// Returns the length of the buffer of a lane in bytes, in whole lines. It is 0 in a region that has
    /// no room for buffers.
    #[inline]
    pub fn buffer_len(&self) -> usize {
        self.buffer_len
    }

    /// Returns the offset of the buffers in the client's region, one after the other.
    pub fn request_buffers(&self) -> usize {
        self.client.buffers
    }

    /// Returns the offset of the buffers in the server's region, one after the other.
    pub fn response_buffers(&self) -> usize {
        self.server.buffers
    }

    /// Returns the offset of `lane`'s control word that `word` of [`control`] names.
    pub fn control_word(&self, lane: usize, word: usize) -> usize {
        self.client.control + lane * LINE + word * 8
    }

    /// Returns the offset of the wait line of the group that `lane` belongs to.
    pub fn wait_line(&self, lane: usize) -> usize {
        self.client.notes + lane / GROUP * LINE
    }

    /// Returns the bit of `lane` in the words of its group.
    #[inline]
    pub fn lane_bit(lane: usize) -> u64 {
        1 << (lane % GROUP)
    }

    /// Returns the offset of the word that says which call of `lane` the server has taken.
    pub fn claimed_word(&self, lane: usize) -> usize {
        self.server.notes + lane * 8
    }

    /// Returns the offset of the client's release table, which covers the server's arena.
    pub fn client_release(&self) -> usize {
        self.client.release
    }

    /// Returns the offset of the server's release table, which covers the client's arena.
    pub fn server_release(&self) -> usize {
        self.server.release
    }

    pub fn client_arena(&self) -> usize {
        self.client.arena
    }

    pub fn server_arena(&self) -> usize {
        self.server.arena
    }
}

/// The length of a word of the release table.
const RELEASE_WORD: usize = 4;

fn wait_len(lanes: usize) -> usize {
    lanes.div_ceil(GROUP) * LINE
}

fn claimed_len(lanes: usize) -> usize {
    (lanes * 8).next_multiple_of(LINE)
}

/// Returns the length of the client's region without buffers, release table and arena: the larger of the
/// two.
fn client_fixed(lanes: usize) -> usize {
    PARTS + wait_len(lanes).max(claimed_len(lanes)) + 2 * lanes * LINE
}

impl Parts {
    /// `tables` are the lengths of what stands between the lines and the arena.
    fn new(notes_len: usize, lines: usize, controls: usize, tables: [usize; 2]) -> Self {
        let [buffers_len, release_len] = tables;
        let notes = PARTS;
        let lines_at = notes + notes_len;
        let control = lines_at + lines * LINE;
        let buffers = control + controls * LINE;
        let release = buffers + buffers_len;
        let arena = (release + release_len).next_multiple_of(PAGE);
        Self { notes, lines: lines_at, control, buffers, release, arena }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_neither_overlap_nor_leave_the_region() {
        for lanes in [1, 2, 63, 64, 65, 500, 1024] {
            for pages in 0..40 {
                let len = Layout::min_region_len(lanes) + pages * PAGE;
                let layout = Layout::new(lanes, len).expect("at least the minimum");
                for parts in [layout.client, layout.server] {
                    assert!(parts.notes < parts.lines);
                    assert!(parts.lines + lanes as usize * LINE <= parts.control);
                    assert!(parts.control <= parts.buffers);
                    let buffers_len = lanes as usize * layout.buffer_len;
                    assert!(parts.buffers + buffers_len <= parts.release);
                    let release_len = layout.arena_len / GRANULE * RELEASE_WORD;
                    assert!(parts.release + release_len <= parts.arena);
                    assert!(parts.arena + layout.arena_len <= len);
                }
                assert!(layout.arena_len >= MIN_ARENA);
                let buffers = layout.client.buffers % LINE + layout.server.buffers % LINE;
                assert_eq!((buffers, layout.buffer_len % LINE), (0, 0));
                assert!(layout.buffer_len * lanes as usize * BUFFERS_PART <= (pages + 1) * PAGE);
            }
        }
    }

    #[test]
    fn a_region_with_room_for_them_has_buffers_of_the_greatest_length() {
        for lanes in [1, 64, 1024] {
            let min = Layout::min_region_len(lanes);
            let buffers = lanes as usize * MAX_BUFFER_LEN * BUFFERS_PART;
            let buffer_len =
                |len| Layout::new(lanes, len).expect("at least the minimum").buffer_len;
            assert!(buffer_len(min) < MAX_BUFFER_LEN);
            assert_eq!(buffer_len(min + buffers), MAX_BUFFER_LEN);
            assert_eq!(buffer_len(1 << 30), MAX_BUFFER_LEN);
        }
    }

    #[test]
    fn a_region_under_the_minimum_is_refused() {
        for lanes in [1, 64, 1024] {
            let min = Layout::min_region_len(lanes);
            assert!(Layout::new(lanes, min).is_some());
            assert!(Layout::new(lanes, min - 2 * PAGE).is_none());
        }
        assert!(Layout::new(0, 1 << 20).is_none());
        assert!(Layout::new(MAX_LANES + 1, 1 << 30).is_none());
    }
}
