//! Both ends of a connection as two threads over one mapping, for the thread sanitizer. One end
//! writes a block with plain stores and the other reads it at the same address. Only the protocol
//! orders the two.
//!
//! The sanitizer knows only code that was built with it, and the standard library was not: it would
//! take its locks for races. So these threads share only the words of the regions. They start by
//! [`std::thread::spawn`] and end by `join`, which the sanitizer sees.
//!
//! It does not see fences. Built with `--cfg tsan`, an `Acquire` of a peer's word is an acquire
//! load (see [`crate::memory::words`]). What only fences order is left to the loom models; here
//! that decides only which thread is woken.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use memmap2::{MmapMut, MmapRaw};

use crate::link::line::line_of;
use crate::link::release::ReleaseTable;
use crate::link::{line, release};
use crate::memory::arena::{Arena, BlockRef, Released};
use crate::memory::copy::{OwnMemory, Pages, PeerMemory};
use crate::memory::layout::{LINE_WORDS, Layout, WANTS_SPACE, line as words, wait};
use crate::memory::words::Mapped;
use crate::wakeup::epoch::{WakeEpoch, WakeRequest};
use crate::wakeup::futex;
use crate::wakeup::park;

const LANES: u32 = 4;

/// Enough calls that each granule of the arenas is used many times.
const CALLS: u64 = 1_000;

/// How often an end looks before it sleeps: few times, so that it often sleeps.
const LOOKS: u32 = 20;

/// A region, mapped once for both ends.
#[derive(Clone, Debug)]
struct Region(Arc<MmapRaw>);

impl Pages for Region {
    fn start(&self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Region {
    fn new(len: usize) -> Self {
        Self(Arc::new(MmapMut::map_anon(len).expect("there is memory").into()))
    }

    fn own(&self, layout: &Layout, arena_start: usize) -> (OwnMemory, Arena) {
        let arena = Arena::new(layout.arena_len());
        // SAFETY: anonymous memory is readable and writable as long as it is mapped, no other
        // process has it, and the layout gives every word one size. The other end's value also
        // accesses it, on purpose, by atomic loads. The protocol orders these after what this
        // value's owner writes to a block before it lends it, and before what it writes afterwards.
        let memory =
            unsafe { OwnMemory::new(self.clone(), layout.region_len(), arena_start, &arena) };
        (memory.expect("the layout fits the region"), arena)
    }

    fn peer(&self, layout: &Layout) -> PeerMemory {
        // SAFETY: readable as long as it is mapped. `own` says what else accesses it.
        let memory = unsafe { PeerMemory::new(self.clone(), layout.region_len()) };
        memory.expect("the layout fits the region")
    }
}

/// One end, which is used by one thread.
struct End {
    layout: Layout,
    own: OwnMemory,
    peer: PeerMemory,
    arena: Arena,
    peer_arena_start: usize,
    /// Where its release table begins, and the peer's.
    release: usize,
    peer_release: usize,
    space: WakeEpoch<Mapped>,
    space_wake_request: WakeRequest<Mapped>,
}

impl End {
    /// Returns what the peer has released.
    fn released(&self) -> ReleaseTable<'_, Mapped> {
        ReleaseTable { slots: self.peer.words32(self.peer_release, self.layout.granules()) }
    }

    /// Writes `len` bytes to a block. Returns the description for a line.
    fn write(&mut self, byte: u8, len: usize) -> [u64; 2] {
        let Self { arena, peer, own, layout, .. } = self;
        let slots = peer.words32(self.peer_release, layout.granules());
        let table = ReleaseTable::<Mapped> { slots };
        let mut block = loop {
            let mut find = || arena.find_or_reclaim(&table, |arena| arena.alloc(len));
            let wish = own.head_word(WANTS_SPACE);
            match release::find_or_ask(&self.space, wish, &mut find) {
                Some(block) => break block,
                None => thread::yield_now(),
            }
        };
        own.block_mut(&mut block).fill(byte);
        arena.lend(block).to_words()
    }

    /// Reads the block that a line describes, and releases it.
    fn read(&self, inline: [u64; 2], byte: u8, len: usize) {
        let block = BlockRef::check(inline, self.layout.arena_len()).expect("the peer is honest");
        let mut bytes = vec![0; block.len()];
        self.peer.copy_out(self.peer_arena_start + block.offset(), &mut bytes).expect("checked");
        assert_eq!(bytes, vec![byte; len]);
        let slot = self.own.word32(self.release + block.slot() * 4);
        // A ring would announce space, for which the other end looks anyway.
        let _ = release::release(
            slot,
            &block,
            self.peer.head_word(WANTS_SPACE),
            &self.space_wake_request,
        );
    }

    fn publish(&self, offset: usize, seq: u64, [place, len]: [u64; 2]) {
        let line = line_of(self.own.words64(offset, LINE_WORDS));
        line::publish::<Mapped>(line, seq, seq * 3, &[place, len, 0, 0, 0, 0], 2);
    }

    /// Reads the request `seq` of a lane, which must have these bytes.
    fn take_request(&self, lane: usize, seq: u64, (byte, len): (u8, usize)) {
        let request = self.layout.request_line(lane);
        let line = line_of(self.peer.words64(request, LINE_WORDS));
        let block = self.await_line(request, seq, || {
            while line::shows::<Mapped>(line) != seq {
                thread::yield_now();
            }
        });
        self.read(block, byte, len);
    }

    /// Returns the description on the peer's line once it shows `seq`. `sleep` waits for that.
    fn await_line(&self, offset: usize, seq: u64, sleep: impl FnOnce()) -> [u64; 2] {
        let line = line_of(self.peer.words64(offset, LINE_WORDS));
        let mut looks = 0..LOOKS;
        if !looks.any(|_| line::shows::<Mapped>(line) == seq) {
            sleep();
        }
        assert_eq!(line::shows::<Mapped>(line), seq);
        let copied = line::copy_out::<Mapped>(line);
        assert_eq!(copied.head, seq * 3);
        [copied.inline[0], copied.inline[1]]
    }
}

/// Returns the byte and the length of a call and of its answer.
fn body(lane: usize, seq: u64) -> (u8, usize) {
    ((seq % 251) as u8, 100 + (seq as usize * 37 + lane * 411) % 900)
}

fn call(end: &mut End) {
    for seq in 1..=CALLS {
        for lane in 0..LANES as usize {
            let (byte, len) = body(lane, seq);
            let block = end.write(byte, len);
            end.publish(end.layout.request_line(lane), seq, block);
        }
        for lane in 0..LANES as usize {
            let (byte, len) = body(lane, seq);
            let response = end.layout.response_line(lane);
            let answer = end.await_line(response, seq, || sleep(end, lane, response, seq));
            end.read(answer, byte ^ 0xff, len);
        }
    }
}

/// Sleeps as a blocking caller does.
fn sleep(end: &End, lane: usize, response: usize, seq: u64) {
    let wait_line = end.own.words64(end.layout.wait_line(lane), LINE_WORDS);
    let line = line_of(end.peer.words64(response, LINE_WORDS));
    park::parked::<Mapped, _>(&wait_line[wait::PARKED], Layout::lane_bit(lane), || {
        loop {
            let shown = line::shows::<Mapped>(line);
            if shown == seq {
                return;
            }
            futex::wait(&line[words::SEQ], shown as u32, None);
        }
    });
}

fn serve(end: &mut End) {
    let wake_request = WakeRequest::<Mapped>::new(AtomicU64::new(0));
    for seq in 1..=CALLS {
        for lane in 0..LANES as usize {
            let (byte, len) = body(lane, seq);
            end.take_request(lane, seq, (byte, len));
            let answer = end.write(byte ^ 0xff, len);
            let response = end.layout.response_line(lane);
            end.publish(response, seq, answer);
            let wait_line = line_of(end.peer.words64(end.layout.wait_line(lane), LINE_WORDS));
            if park::what_to_wake(wait_line, Layout::lane_bit(lane), &wake_request).caller {
                futex::wake_own(&line_of(end.own.words64(response, LINE_WORDS))[words::SEQ]);
            }
        }
    }
}

/// Returns the byte and the length of what is pushed. It is short and the arena small, so that a
/// block is reused before the sanitizer has forgotten its last read; without that it reports
/// nothing.
fn pushed(lane: usize, seq: u64) -> (u8, usize) {
    let (byte, len) = body(lane, seq);
    (byte, len % 64)
}

/// Writes without waiting for anything but releases. With calls and answers, the lines alone would
/// order most writes to a block after the reads of it.
fn push(end: &mut End) {
    let mut lent = [const { None::<BlockRef> }; LANES as usize];
    for seq in 1..=CALLS {
        for (lane, lent) in lent.iter_mut().enumerate() {
            // Before that, the line may not have been read.
            if let Some(block) = lent {
                while !end.released().is_released(block.slot() as u32, block.generation()) {
                    thread::yield_now();
                }
            }
            let (byte, len) = pushed(lane, seq);
            let block = end.write(byte, len);
            end.publish(end.layout.request_line(lane), seq, block);
            *lent = BlockRef::check(block, end.layout.arena_len()).ok();
        }
    }
}

/// Reads what is pushed.
fn pull(end: &mut End) {
    for seq in 1..=CALLS {
        (0..LANES as usize).for_each(|lane| end.take_request(lane, seq, pushed(lane, seq)));
    }
}

/// Returns the ends of a connection whose regions have `room` bytes more than they need.
fn ends(room: usize) -> [End; 2] {
    let len = Layout::min_region_len(LANES) + room;
    let layout = Layout::new(LANES, len).expect("above the minimum");
    let regions = [Region::new(len), Region::new(len)];
    let arenas = [layout.client_arena(), layout.server_arena()];
    let tables = [layout.client_release(), layout.server_release()];
    [[0, 1], [1, 0]].map(|[mine, theirs]| {
        let (own, arena) = regions[mine].own(&layout, arenas[mine]);
        End {
            own,
            peer: regions[theirs].peer(&layout),
            arena,
            peer_arena_start: arenas[theirs],
            release: tables[mine],
            peer_release: tables[theirs],
            space: WakeEpoch::new(AtomicU64::new(0)),
            space_wake_request: WakeRequest::new(AtomicU64::new(0)),
            layout,
        }
    })
}

/// Runs each part on a thread of its own, with its end.
fn run(parts: [fn(&mut End); 2], room: usize) {
    let mut parts = parts.into_iter();
    let threads = ends(room).map(|mut end| {
        let part = parts.next().expect("there are two of both");
        thread::spawn(move || {
            part(&mut end);
            end
        })
    });
    // Both are dropped on this thread, because an `Arc` counts by fences.
    drop(threads.map(|end| end.join().expect("no panic")));
}

#[test]
fn nothing_but_the_protocol_orders_what_two_ends_do() {
    run([call, serve], 4 * 4096);
}

#[test]
fn nothing_but_its_release_orders_what_is_written_to_a_block_next() {
    run([push, pull], 0);
}
