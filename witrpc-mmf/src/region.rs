//! Regions as memory: where sealed pages become something that the protocol may touch.

use crate::arena::Arena;
use crate::copy::{OwnMemory, Pages, PeerMemory};
use crate::layout::Layout;
use crate::memfd;
use crate::outbox::Outbox;

impl Pages for memfd::OwnMemory {
    fn start(&self) -> *mut u8 {
        self.as_mut_ptr()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

impl Pages for memfd::PeerMemory {
    fn start(&self) -> *mut u8 {
        self.as_ptr().cast_mut()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// Our region, with the arena that starts at `arena_start`.
pub(crate) fn own(
    pages: memfd::OwnMemory,
    layout: &Layout,
    arena_start: usize,
) -> (OwnMemory, Outbox) {
    let arena = Arena::new(layout.arena_len());
    // SAFETY: a `memfd::OwnMemory` is fully allocated, sealed against shrinking and against writing
    // by anybody else, and moved in here, so that nobody else reaches its bytes; the layout gives
    // every word in front of the arena one size.
    let memory = unsafe { OwnMemory::new(pages, layout.region_len(), arena_start, &arena) };
    (memory.expect("the layout fits the region"), Outbox::new(arena))
}

/// The peer's region.
pub(crate) fn peer(pages: memfd::PeerMemory, layout: &Layout) -> PeerMemory {
    // SAFETY: a `memfd::PeerMemory` was found to be fully allocated and sealed against shrinking,
    // and is moved in here, so that nobody else in this process reaches its bytes.
    let memory = unsafe { PeerMemory::new(pages, layout.region_len()) };
    memory.expect("the layout fits the region")
}
