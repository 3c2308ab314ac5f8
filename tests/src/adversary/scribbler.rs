//! A peer that writes arbitrary values into all memory that it may write.
//!
//! It connects through the library, like an honest one. Then it finds the regions that it has made
//! in `/proc/self/maps`, and writes to them through `/proc/self/mem`, so it can reach every word.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use fastrand::Rng;

/// The part of a region in front of its arena, for regions as small as those of these tests: what
/// both sides read as words.
const CONTROL_LEN: u64 = 4096;

const WORD: u64 = 8;

/// Edge values of lanes, lengths, kinds, seqs and epochs.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    3,
    4,
    5,
    63,
    64,
    65,
    0xFFFF_FFFF,
    1 << 31,
    1 << 32,
    1 << 63,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

/// One write: which word of a region, and what.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Scribble {
    /// Bytes from the start of the region; a multiple of 8.
    pub offset: u64,
    /// What is written there.
    pub value: u64,
}

impl Scribble {
    /// Returns writes of each edge value to each of the first `words` words of a region, in front
    /// of the arena.
    pub fn chosen(words: u64) -> impl Iterator<Item = Self> {
        let at = |word| EDGES.map(|value| Self { offset: word * WORD, value });
        (0..words).flat_map(at)
    }
}

/// The regions that this process has made, writable.
#[derive(Debug)]
pub struct Scribbler {
    memory: File,
    regions: Vec<Range<u64>>,
}

impl Scribbler {
    /// Finds the regions that this process has made so far.
    ///
    /// # Panics
    ///
    /// Without `/proc`.
    pub fn new() -> Self {
        let memory = File::options().read(true).write(true).open("/proc/self/mem");
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux has /proc");
        let regions = maps.lines().filter_map(own_region).collect();
        Self { memory: memory.expect("a process may write its own memory"), regions }
    }

    /// Writes to every region. A region that is gone by now is skipped.
    pub fn write(&self, scribble: Scribble) {
        for region in &self.regions {
            self.write_to(region, scribble);
        }
    }

    fn write_to(&self, region: &Range<u64>, Scribble { offset, value }: Scribble) {
        let at = region.start + offset;
        if at + WORD <= region.end {
            let _ = self.memory.write_all_at(&value.to_ne_bytes(), at);
        }
    }

    /// Writes a random value to a random place: usually to the words that both sides read, and
    /// usually a nearly valid value.
    pub fn write_at_random(&self, rng: &mut Rng) {
        if self.regions.is_empty() {
            return;
        }
        let region = &self.regions[rng.usize(..self.regions.len())];
        let within = if rng.u8(..8) > 0 { CONTROL_LEN } else { region.end - region.start };
        let offset = rng.u64(..within / WORD) * WORD;
        let mut now = [0; 8];
        let _ = self.memory.read_exact_at(&mut now, region.start + offset);
        let now = u64::from_ne_bytes(now);
        let value = match rng.u8(..6) {
            0 => rng.u64(..),
            1 => EDGES[rng.usize(..EDGES.len())],
            2 => now.wrapping_add(rng.u64(..3)).wrapping_sub(1),
            3 => now ^ 1 << rng.u32(..64),
            // A head: any kind, any operation, a likely length.
            4 => rng.u64(..) & 0xF7C0_0000_0000_0000 | 1 << rng.u32(..32),
            // A block's description, or half a word of a release table.
            _ => now & 0xFFFF_FFFF | rng.u64(..4) << 32,
        };
        self.write_to(region, Scribble { offset, value });
    }
}

impl Default for Scribbler {
    fn default() -> Self {
        Self::new()
    }
}

/// The addresses of a region that this process has made, from its line in the list of mappings.
fn own_region(line: &str) -> Option<Range<u64>> {
    let (addresses, rest) = line.split_once(' ')?;
    if !rest.starts_with("rw-s") || !rest.contains("/memfd:witrpc") {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}
