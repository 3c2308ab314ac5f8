//! loom models: callers that give up, or may never come back, against threads that need their lane.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::link::line::{publish, shows};
use crate::memory::layout::LINE_WORDS;
use crate::memory::words::modelled::{Modelled, explore};

use super::{LaneOwnership, LanePhase};

struct Lane {
    ownership: LaneOwnership<Modelled>,
    response: [AtomicU64; LINE_WORDS],
    /// Stands for what only the lane's owner accesses. loom fails a model with two owners.
    owned: UnsafeCell<()>,
}

impl Lane {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            ownership: LaneOwnership::new(AtomicU64::new(0)),
            response: core::array::from_fn(|_| AtomicU64::new(0)),
            owned: UnsafeCell::new(()),
        })
    }

    /// Publishes the server's answer to call 1.
    fn answer(&self) {
        publish::<Modelled>(&self.response, 1, 0, &[0; 6], 0);
    }

    /// Takes the lane if call 1 no longer needs it, as a thread does that is short of a lane.
    fn collect(&self) -> bool {
        let answered = shows::<Modelled>(&self.response) == 1;
        let won = match self.ownership.current() {
            Some((1, LanePhase::Abandoned)) if answered => {
                self.ownership.reclaim(1, LanePhase::Abandoned)
            }
            Some((1, LanePhase::Collectable)) if answered => self.ownership.complete(1),
            _ => false,
        };
        if won {
            self.owned.with_mut(|_| ());
        }
        won
    }
}

#[test]
fn an_abandoned_lane_has_one_new_owner_and_only_after_its_answer() {
    explore(3, || {
        let lane = Lane::new();
        let server = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.answer()
        });
        let collector = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.collect()
        });
        lane.owned.with_mut(|_| ());
        lane.ownership.lend(1, LanePhase::Abandoned);
        let ours = lane.collect();
        let theirs = collector.join().expect("the collector");
        assert!(!(ours && theirs), "a lane with two owners");
        server.join().expect("the server");
        // It can be collected now exactly if neither thread took it before.
        assert_eq!(lane.collect(), !(ours || theirs));
    });
}

#[test]
fn a_future_that_comes_back_finds_its_lane_or_its_completed_answer() {
    explore(3, || {
        let lane = Lane::new();
        lane.owned.with_mut(|_| ());
        lane.ownership.lend(1, LanePhase::Collectable);
        lane.answer();
        let collector = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.collect()
        });
        let ours = lane.ownership.reclaim(1, LanePhase::Collectable);
        if ours {
            lane.owned.with_mut(|_| ());
        } else {
            assert_eq!(lane.ownership.current(), Some((1, LanePhase::Completed)));
        }
        assert_ne!(ours, collector.join().expect("the collector"));
    });
}

/// What a slow collector read of an earlier call gives it no right to a later call.
#[test]
fn a_reused_lane_is_not_taken_for_its_earlier_call() {
    explore(3, || {
        let lane = Lane::new();
        lane.ownership.lend(1, LanePhase::Collectable);
        lane.answer();
        let collector = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.collect()
        });
        if lane.ownership.reclaim(1, LanePhase::Collectable) {
            // The next call on this lane.
            lane.owned.with_mut(|_| ());
            lane.ownership.lend(2, LanePhase::Collectable);
            assert!(!collector.join().expect("the collector"));
            assert_eq!(lane.ownership.current(), Some((2, LanePhase::Collectable)));
        } else {
            collector.join().expect("the collector");
        }
    });
}
