//! The granules of the peer's arena that are leased to this process.

use std::ops::Range;
use std::sync::Mutex;

use witrpc_rt::lock;

use crate::memory::send_arena::MAX_LEASES;

/// The leases that this process holds, by the granules that they take.
#[derive(Debug, Default)]
pub struct HeldLeases {
    /// Sorted, and without overlaps.
    leases: Mutex<Vec<Range<u32>>>,
}

impl HeldLeases {
    /// Adds a lease of these granules, of which there is at least one.
    ///
    /// # Errors
    ///
    /// The rule that the peer has broken with this lease.
    pub fn enter(&self, granules: Range<u32>) -> Result<(), &'static str> {
        let mut leases = lock(&self.leases);
        if leases.len() == MAX_LEASES {
            return Err("more leases than a connection may have");
        }
        let place = leases.partition_point(|lease| lease.end <= granules.start);
        if leases.get(place).is_some_and(|next| next.start < granules.end) {
            return Err("a lease of a block that is leased already");
        }
        leases.insert(place, granules);
        Ok(())
    }

    /// Removes the lease that begins at `granule`. Must be called before the block is released.
    pub fn leave(&self, granule: u32) {
        let mut leases = lock(&self.leases);
        if let Ok(place) = leases.binary_search_by_key(&granule, |lease| lease.start) {
            leases.remove(place);
        }
    }

    /// Returns whether no lease is held.
    pub fn is_empty(&self) -> bool {
        lock(&self.leases).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Compares with a map from each granule to the lease that has it.
        #[test]
        fn a_granule_is_leased_once(
            steps in proptest::collection::vec((0..40_u32, 1..9_u32, any::<bool>()), 1..200),
        ) {
            let held = HeldLeases::default();
            let mut owners = [None; 50];
            for (first, len, enters) in steps {
                let granules = first as usize..(first + len) as usize;
                if enters {
                    let is_free = owners[granules.clone()].iter().all(Option::is_none);
                    prop_assert_eq!(held.enter(first..first + len).is_ok(), is_free);
                    if is_free {
                        owners[granules].fill(Some(first));
                    }
                } else {
                    held.leave(first);
                    owners.iter_mut().filter(|owner| **owner == Some(first)).for_each(|owner| *owner = None);
                }
            }
        }
    }

    #[test]
    fn the_number_of_leases_is_limited() {
        let held = HeldLeases::default();
        for granule in 0..MAX_LEASES as u32 {
            assert_eq!(held.enter(granule..granule + 1), Ok(()));
        }
        assert!(held.enter(5_000..5_001).is_err());
        held.leave(7);
        assert!(held.enter(7..8).is_ok());
    }
}
