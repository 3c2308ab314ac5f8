//! loom models: the claims of several senders against the releases of the peer, and the reuse of
//! the block after its last owner is gone.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::thread;

use crate::link::release::{ReleaseTable, release};
use crate::memory::arena::{BlockRef, GRANULE_BYTES, Released, next_generation};
use crate::memory::words::modelled::{Modelled, explore};
use crate::wakeup::epoch::WakeRequest;

use super::lending::{Disposition, Lending, home};

/// Whether the case that a model is about occurred in any order. Otherwise the model shows nothing.
type Reached = core::sync::atomic::AtomicBool;

/// A block of one granule, its slot, and a line for each of the messages that may name it.
struct Scene<const LINES: usize> {
    lending: Lending<Modelled>,
    slots: [AtomicU32; 1],
    lines: [AtomicU64; LINES],
    /// Stands for the block's bytes. loom fails a model that reads and writes them unordered.
    bytes: UnsafeCell<()>,
    /// The number of leases of the block that the reader holds, at most one by the invariants.
    held: AtomicU32,
    wants_space: AtomicU64,
    wake_request: WakeRequest<Modelled>,
}

impl<const LINES: usize> Scene<LINES> {
    /// Creates a scene with a block that was filled and frozen.
    fn new() -> Arc<Self> {
        let scene = Self {
            lending: Lending::new(AtomicU64::new(home(1))),
            slots: [AtomicU32::new(0)],
            lines: core::array::from_fn(|_| AtomicU64::new(0)),
            bytes: UnsafeCell::new(()),
            held: AtomicU32::new(0),
            wants_space: AtomicU64::new(0),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
        };
        scene.bytes.with_mut(|_| ());
        Arc::new(scene)
    }

    fn is_released(&self, generation: u32) -> bool {
        ReleaseTable::<Modelled> { slots: &self.slots }.is_released(0, generation)
    }

    /// Lets the reader go first. Without this, loom leaves out the orders in which the reader runs
    /// between two steps of the writer.
    fn let_the_reader_go_first() {
        thread::yield_now();
    }

    /// Sends a message with the lease, if it can be claimed.
    fn send(&self, line: usize) -> bool {
        let claimed = self.lending.claim(|generation| self.is_released(generation));
        let Some(generation) = claimed else { return false };
        self.lines[line].store(u64::from(generation) << 32, Release);
        self.lending.publish(generation);
        true
    }

    /// Reads the lease of the message on `line`, and releases it. Returns `false` if there is no
    /// message yet.
    fn receive(&self, line: usize) -> bool {
        let place = self.lines[line].load(Acquire);
        if place == 0 {
            return false;
        }
        let block = BlockRef::check([place, 0], GRANULE_BYTES).expect("an honest peer");
        // The checks of a reader rely on these two.
        assert_eq!(self.held.fetch_add(1, Acquire), 0, "the block is leased twice");
        assert_eq!(block.generation(), next_generation(self.slots[0].load(Relaxed)), "stale");
        self.bytes.with(|_| ());
        self.held.fetch_sub(1, Release);
        let _ = release(&self.slots[0], &block, &self.wants_space, &self.wake_request);
        true
    }

    /// Drops the last owner: the block is free, or becomes free when the peer has released it. Then
    /// another user fills it.
    fn reuse(&self) -> bool {
        let is_free = match self.lending.place() {
            Disposition::Home(_) => true,
            Disposition::Lent(generation) => self.is_released(generation),
        };
        if is_free {
            self.bytes.with_mut(|_| ());
        }
        is_free
    }
}

#[test]
fn two_senders_never_have_the_block_at_once() {
    explore(2, || {
        let scene = Scene::<2>::new();
        let senders = [0, 1].map(|line| {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send(line))
        });
        let received = scene.receive(0) | scene.receive(1);
        let sent = senders.map(|sender| sender.join().expect("a sender"));
        assert!(sent[0] || sent[1], "no other message had it");
        assert!(received || sent != [true; 2], "the second was sent before the first was released");
    });
}

#[test]
fn a_block_is_reused_only_when_the_peer_has_released_it() {
    static REUSED: Reached = Reached::new(false);
    explore(3, || {
        let scene = Scene::<1>::new();
        let reader = thread::spawn({
            let scene = Arc::clone(&scene);
            move || scene.receive(0)
        });
        assert!(scene.send(0));
        Scene::<1>::let_the_reader_go_first();
        let reused = scene.reuse();
        REUSED.fetch_or(reused, Relaxed);
        let received = reader.join().expect("the reader");
        assert!(received || !reused, "what the peer can still read was written");
    });
    assert!(REUSED.load(Relaxed));
}

#[test]
fn a_released_block_is_lent_again_under_the_next_generation() {
    static AGAIN: Reached = Reached::new(false);
    static REUSED: Reached = Reached::new(false);
    explore(3, || {
        let scene = Scene::<2>::new();
        let reader = thread::spawn({
            let scene = Arc::clone(&scene);
            move || {
                scene.receive(0);
                scene.receive(1)
            }
        });
        assert!(scene.send(0));
        Scene::<2>::let_the_reader_go_first();
        let again = scene.send(1);
        assert_eq!(scene.lending.place(), Disposition::Lent(if again { 2 } else { 1 }));
        Scene::<2>::let_the_reader_go_first();
        let reused = scene.reuse();
        AGAIN.fetch_or(again, Relaxed);
        REUSED.fetch_or(again && reused, Relaxed);
        let received_both = reader.join().expect("the reader");
        assert!(!(again && reused) || received_both);
    });
    assert!(AGAIN.load(Relaxed) && REUSED.load(Relaxed));
}

#[test]
fn a_retracted_claim_leaves_the_block_to_others() {
    explore(3, || {
        let scene = Scene::<1>::new();
        let retractor = thread::spawn({
            let scene = Arc::clone(&scene);
            move || match scene.lending.claim(|_| false) {
                Some(generation) => scene.lending.retract(generation),
                None => assert_eq!(scene.lending.place(), Disposition::Lent(1), "claimed, or lent"),
            }
        });
        let sent = scene.send(0);
        retractor.join().expect("the other");
        assert!(sent || scene.send(0), "a claim that was not used stayed behind");
        assert!(scene.receive(0));
    });
}
