//! Runs of granules: segregated free lists with immediate coalescing, all in constant time.
//!
//! The algorithm is that of TLSF. Free runs are in lists by size class. A set of the classes that have
//! runs gives a fitting list without a search. The length of a run, noted at both its ends, finds the
//! neighbours when it is freed. A run is taken from the head of a list. So a run in the class of the
//! requested length may be overlooked behind a shorter one, and a longer run is split instead.

use super::classes::{CLASSES, ClassSet, class_of};

/// The most granules that can be counted beside the flag.
pub const MAX_GRANULES: u32 = FREE - 1;

/// Set in the notes at both ends of a free run.
const FREE: u32 = 1 << 31;

/// Marks the end of a list.
const NONE: u32 = u32::MAX;

/// The state of all granules. The vectors are plain zeros, so the kernel provides their pages only when
/// they are touched.
pub struct Runs {
    /// At the first and the last granule of each run: its length, and whether it is free. The values at
    /// granules inside a run have no meaning.
    ends: Vec<u32>,
    /// At the first granule of a free run: the next free run of its class, or `NONE`.
    next: Vec<u32>,
    /// At the first granule of a free run: the free run of its class before it, or `NONE`.
    previous: Vec<u32>,
    /// The first free run of each class, or `NONE`.
    heads: [u32; CLASSES],
    /// The classes that have a free run.
    occupied: ClassSet,
    free_granules: u32,
}

impl Runs {
    /// Creates `granules` granules (1 to [`MAX_GRANULES`]) in one free run.
    pub fn new(granules: u32) -> Self {
        let zeros = || vec![0; granules as usize];
        let mut runs = Self {
            ends: zeros(),
            next: zeros(),
            previous: zeros(),
            heads: [NONE; CLASSES],
            occupied: ClassSet::default(),
            free_granules: granules,
        };
        runs.link(0, granules);
        runs
    }

    /// Returns how many granules are free.
    pub fn free_granules(&self) -> u32 {
        self.free_granules
    }

    /// Returns a length that [`take`](Self::take) can provide: that of the run that heads the highest
    /// class.
    pub fn largest(&self) -> u32 {
        self.occupied.highest().map_or(0, |class| self.free_len(self.heads[class]))
    }

    /// Takes a run of `granules` granules (at least 1) and returns its first one.
    pub fn take(&mut self, granules: u32) -> Option<u32> {
        if granules > self.free_granules {
            return None;
        }
        let class = class_of(granules);
        let head = self.heads[class];
        let first = if head != NONE && self.free_len(head) >= granules {
            head
        } else {
            self.heads[self.occupied.lowest_from(class + 1)?]
        };
        let rest = self.free_len(first) - granules;
        self.unlink(first);
        if rest > 0 {
            self.link(first + granules, rest);
        }
        self.note(first, granules, 0);
        self.free_granules -= granules;
        Some(first)
    }

    /// Frees the run of `granules` granules at `first`, and joins it with free neighbours.
    pub fn give_back(&mut self, first: u32, granules: u32) {
        debug_assert_eq!(self.ends[first as usize], granules, "not a run that was taken");
        self.free_granules += granules;
        let (mut start, mut len) = (first, granules);
        if let Some(before) = first.checked_sub(1)
            && self.ends[before as usize] & FREE != 0
        {
            let joined = self.free_len(before);
            start -= joined;
            len += joined;
            self.unlink(start);
        }
        let after = first + granules;
        if self.ends.get(after as usize).is_some_and(|end| end & FREE != 0) {
            len += self.free_len(after);
            self.unlink(after);
        }
        self.link(start, len);
    }

    /// Returns the length noted at an end of a free run.
    fn free_len(&self, end: u32) -> u32 {
        self.ends[end as usize] & !FREE
    }

    /// Notes the length of a run at both its ends.
    fn note(&mut self, first: u32, granules: u32, flag: u32) {
        let last = first + granules - 1;
        self.ends[first as usize] = granules | flag;
        self.ends[last as usize] = granules | flag;
    }

    /// Puts a free run at the head of its class.
    fn link(&mut self, first: u32, granules: u32) {
        self.note(first, granules, FREE);
        let class = class_of(granules);
        let head = self.heads[class];
        self.next[first as usize] = head;
        self.previous[first as usize] = NONE;
        if head != NONE {
            self.previous[head as usize] = first;
        }
        self.heads[class] = first;
        self.occupied.insert(class);
    }

    /// Removes a free run from its class. The caller must replace its notes.
    fn unlink(&mut self, first: u32) {
        let class = class_of(self.free_len(first));
        let (previous, next) = (self.previous[first as usize], self.next[first as usize]);
        if next != NONE {
            self.previous[next as usize] = previous;
        }
        if previous != NONE {
            self.next[previous as usize] = next;
            return;
        }
        self.heads[class] = next;
        if next == NONE {
            self.occupied.remove(class);
        }
    }
}
