//! Size classes of runs: eight for each doubling, so that the lengths in one class differ by up to an
//! eighth.

/// The number of classes for each doubling.
const STEPS: u32 = 8;
const STEP_BITS: u32 = STEPS.ilog2();

/// The number of classes, for runs of up to 2³¹ − 1 granules.
pub const CLASSES: usize = class_of((1 << 31) - 1) + 1;

const WORDS: usize = CLASSES.div_ceil(u64::BITS as usize);

/// Returns the class of runs of `granules` granules. It rises with the length, and is exact below 16
/// granules.
pub const fn class_of(granules: u32) -> usize {
    if granules < STEPS {
        return granules as usize;
    }
    let doubling = granules.ilog2();
    let step = (granules >> (doubling - STEP_BITS)) - STEPS;
    ((doubling - STEP_BITS + 1) * STEPS + step) as usize
}

/// Returns the least number of granules in the class of `granules`.
pub const fn shortest_of_class(granules: u32) -> u32 {
    if granules < STEPS {
        return granules;
    }
    granules & (u32::MAX << (granules.ilog2() - STEP_BITS))
}

/// The set of the classes that have free runs.
#[derive(Debug, Default)]
pub struct ClassSet {
    words: [u64; WORDS],
}

impl ClassSet {
    /// Notes that the class has a run.
    pub fn insert(&mut self, class: usize) {
        self.words[class / 64] |= 1 << (class % 64);
    }

    /// Notes that the class has no run.
    pub fn remove(&mut self, class: usize) {
        self.words[class / 64] &= !(1 << (class % 64));
    }

    /// Returns the lowest class of the set that is `class` or above.
    pub fn lowest_from(&self, class: usize) -> Option<usize> {
        let start = class / 64;
        let first = self.words.get(start)? & (u64::MAX << (class % 64));
        let rest = self.words.iter().copied().enumerate().skip(start + 1);
        core::iter::once((start, first))
            .chain(rest)
            .find(|(_, word)| *word != 0)
            .map(|(index, word)| index * 64 + word.trailing_zeros() as usize)
    }

    /// Returns the highest class of the set.
    pub fn highest(&self) -> Option<usize> {
        let (index, word) = self.words.iter().enumerate().rfind(|(_, word)| **word != 0)?;
        Some(index * 64 + word.ilog2() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_rise_with_the_length_and_are_an_eighth_wide() {
        let mut lowest = 1;
        for granules in 1..100_000_u32 {
            let class = class_of(granules);
            if class != class_of(lowest) {
                assert_eq!(class, class_of(lowest) + 1, "a class is left out at {granules}");
                lowest = granules;
            }
            assert!(granules - lowest <= lowest / STEPS, "{granules} and {lowest} share a class");
            assert_eq!(shortest_of_class(granules), lowest);
        }
        assert_eq!(class_of(15) + 1, class_of(16));
    }

    #[test]
    fn a_set_finds_its_lowest_and_highest() {
        let mut set = ClassSet::default();
        assert_eq!((set.lowest_from(0), set.highest()), (None, None));
        for class in [3, 63, 64, CLASSES - 1] {
            set.insert(class);
        }
        assert_eq!(set.lowest_from(0), Some(3));
        assert_eq!(set.lowest_from(4), Some(63));
        assert_eq!(set.lowest_from(64), Some(64));
        assert_eq!(set.lowest_from(65), Some(CLASSES - 1));
        assert_eq!(set.highest(), Some(CLASSES - 1));
        set.remove(CLASSES - 1);
        assert_eq!((set.lowest_from(65), set.highest()), (None, Some(64)));
        assert_eq!(set.lowest_from(CLASSES + 64), None);
    }
}
