//! The floors: what two processes can do at best over bare shared memory.
//!
//! - [`Ping`]: one word bounced over two cache lines, both sides looking all the time.
//! - [`FutexPing`]: the same, both sides asleep in a futex.
//! - [`Lanes`]: 64 requests of two words in flight, a line each, answered by a line each.
//! - [`InPlace`]: one that leaves samples where they are: drawn by the sender in the mapping, summed
//!   there by the reader.
//! - [`Push`], [`Echo`]: a ping-pong that carries bytes. The sender copies them into the mapping,
//!   the reader copies them out to a new vector, as a typed call returns one.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use rustix::thread::futex;

use super::mapping::Mapping;
use super::race::Contender;
use super::studio::{draw, sum};

const LINE: usize = 64;
/// Which floor the peer is to run; it sleeps here in between.
const TASK: usize = 0;
const PING: usize = 2 * LINE;
const PONG: usize = 4 * LINE;
const REQUESTS: usize = 64 * LINE;
const RESPONSES: usize = 128 * LINE;
const BYTES_THERE: usize = 192 * LINE;
const BYTES_BACK: usize = BYTES_THERE + MAX_BYTES;
const LEN: usize = BYTES_BACK + MAX_BYTES;

/// The longest message of [`Push`] and [`Echo`].
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// Requests of [`Lanes`] in flight.
pub(crate) const LANES: usize = 64;

/// In place of a number: the peer goes back to sleep.
const OVER: u64 = u64::MAX;

/// What the peer runs.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Task {
    Ping = 1,
    FutexPing = 2,
    Lanes = 3,
    Push = 4,
    Echo = 5,
    InPlace = 6,
}

/// The memory of the floors, on the side that measures. One runs at a time.
#[derive(Clone)]
pub(crate) struct Floors {
    mapping: Arc<Mapping>,
}

impl Floors {
    pub(crate) fn new() -> Self {
        Self { mapping: Arc::new(Mapping::create(LEN)) }
    }

    /// Where the peer finds it.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.mapping.path()
    }

    fn begin(&self, task: Task) {
        for line in [PING, PONG].into_iter().chain((REQUESTS..BYTES_THERE).step_by(LINE)) {
            self.mapping.word(line).store(0, Relaxed);
        }
        let word = self.mapping.futex_word(TASK);
        word.store(task as u32, Release);
        futex::wake(word, futex::Flags::empty(), 1).expect("a futex in shared memory");
    }

    /// Ends what runs and waits until the peer has seen it, so that it is asleep or nearly so when
    /// the next contender runs.
    fn end(&self) {
        self.mapping.futex_word(TASK).store(0, Relaxed);
        self.mapping.word(PING).store(OVER, Release);
        let word = self.mapping.futex_word(PING);
        futex::wake(word, futex::Flags::empty(), 1).expect("a futex in shared memory");
        look_until(|| self.mapping.word(PONG).load(Acquire) == OVER);
    }
}

/// Looks without a pause; lets others run now and then, for the case of one core.
#[inline]
fn look_until(mut found: impl FnMut() -> bool) {
    let mut looks = 0_u32;
    while !found() {
        looks += 1;
        if looks.is_multiple_of(1 << 16) {
            std::thread::yield_now();
        }
    }
}

/// The peer's side: sleeps until a floor is to be run.
pub(crate) fn respond(path: &Path) -> ! {
    let mapping = Mapping::open(path);
    loop {
        let task = mapping.futex_word(TASK).load(Acquire);
        match task {
            0 => {
                // Woken, interrupted or changed meanwhile: the next look tells.
                let _ = futex::wait(mapping.futex_word(TASK), futex::Flags::empty(), 0, None);
                continue;
            }
            2 => respond_to_futex(&mapping),
            3 => respond_to_lanes(&mapping),
            task => respond_to_pings(&mapping, task),
        }
        // The next look at the task sees at least what was stored before the end was announced.
        mapping.word(PONG).store(OVER, Release);
    }
}

fn respond_to_pings(mapping: &Mapping, task: u32) {
    let (ping, pong) = (mapping.word(PING), mapping.word(PONG));
    let mut last = 0;
    loop {
        let mut number = last;
        look_until(|| {
            number = ping.load(Acquire);
            number != last
        });
        if number == OVER {
            return;
        }
        if task == Task::InPlace as u32 {
            let len = mapping.word(PING + 8).load(Relaxed) as usize;
            black_box(sum(mapping.samples(BYTES_THERE, len)));
        } else if task != Task::Ping as u32 {
            let len = mapping.word(PING + 8).load(Relaxed) as usize;
            let bytes = black_box(mapping.copy_out(BYTES_THERE, len));
            if task == Task::Echo as u32 {
                mapping.copy_in(BYTES_BACK, &bytes);
            }
        }
        pong.store(number, Release);
        last = number;
    }
}

fn respond_to_futex(mapping: &Mapping) {
    let (ping, pong) = (mapping.futex_word(PING), mapping.futex_word(PONG));
    let mut last = 0;
    loop {
        sleep_while(ping, last);
        if mapping.word(PING).load(Acquire) == OVER {
            return;
        }
        last = ping.load(Acquire);
        pong.store(last, Release);
        futex::wake(pong, futex::Flags::empty(), 1).expect("a futex in shared memory");
    }
}

fn sleep_while(word: &std::sync::atomic::AtomicU32, value: u32) {
    while word.load(Acquire) == value {
        // Woken, interrupted or changed meanwhile: the loop looks.
        let _ = futex::wait(word, futex::Flags::empty(), value, None);
    }
}

fn respond_to_lanes(mapping: &Mapping) {
    let mut taken = [0_u64; LANES];
    while mapping.word(PING).load(Acquire) != OVER {
        for (lane, taken) in taken.iter_mut().enumerate() {
            let request = |word: usize| mapping.word(REQUESTS + lane * LINE + 8 * word);
            let response = |word: usize| mapping.word(RESPONSES + lane * LINE + 8 * word);
            let number = request(0).load(Acquire);
            if number != *taken {
                *taken = number;
                let sum = request(1).load(Relaxed).wrapping_add(request(2).load(Relaxed));
                response(1).store(sum, Relaxed);
                response(0).store(number, Release);
            }
        }
    }
}

/// Two cache lines, polled.
pub(crate) struct Ping(pub(crate) Floors);

impl Contender for Ping {
    fn begin(&mut self) {
        self.0.begin(Task::Ping);
    }

    fn run(&mut self, calls: usize) {
        let (ping, pong) = (self.0.mapping.word(PING), self.0.mapping.word(PONG));
        exchange(ping, pong, calls, || {}, || {});
    }

    fn end(&mut self) {
        self.0.end();
    }
}

#[inline]
fn exchange(
    ping: &AtomicU64,
    pong: &AtomicU64,
    calls: usize,
    mut before: impl FnMut(),
    mut after: impl FnMut(),
) {
    let first = ping.load(Relaxed) + 1;
    for number in first..first + calls as u64 {
        before();
        ping.store(number, Release);
        look_until(|| pong.load(Acquire) == number);
        after();
    }
}

/// Two words, slept on.
pub(crate) struct FutexPing(pub(crate) Floors);

impl Contender for FutexPing {
    fn begin(&mut self) {
        self.0.begin(Task::FutexPing);
    }

    fn run(&mut self, calls: usize) {
        let (ping, pong) = (self.0.mapping.futex_word(PING), self.0.mapping.futex_word(PONG));
        for _ in 0..calls {
            let last = ping.load(Relaxed);
            ping.store(last + 1, Release);
            futex::wake(ping, futex::Flags::empty(), 1).expect("a futex in shared memory");
            sleep_while(pong, last);
        }
    }

    fn end(&mut self) {
        self.0.end();
    }
}

/// 64 in flight, over 64 pairs of lines.
pub(crate) struct Lanes(pub(crate) Floors);

impl Contender for Lanes {
    fn begin(&mut self) {
        self.0.begin(Task::Lanes);
    }

    fn run(&mut self, calls: usize) {
        let mapping = &self.0.mapping;
        let request = |lane: usize, word: usize| mapping.word(REQUESTS + lane * LINE + 8 * word);
        let response = |lane: usize, word: usize| mapping.word(RESPONSES + lane * LINE + 8 * word);
        let receive = |lane: usize| {
            let number = request(lane, 0).load(Relaxed);
            look_until(|| response(lane, 0).load(Acquire) == number);
            black_box(response(lane, 1).load(Relaxed));
            number
        };
        for call in 0..calls {
            let lane = call % LANES;
            let number = receive(lane);
            request(lane, 1).store(call as u64, Relaxed);
            request(lane, 2).store(lane as u64, Relaxed);
            request(lane, 0).store(number + 1, Release);
        }
        for lane in 0..LANES {
            receive(lane);
        }
    }

    fn end(&mut self) {
        self.0.end();
    }
}

/// Bytes to the peer: one copy in, one copy out.
pub(crate) struct Push {
    pub(crate) floors: Floors,
    pub(crate) bytes: Arc<[u8]>,
}

impl Contender for Push {
    fn begin(&mut self) {
        self.floors.begin(Task::Push);
        self.floors.mapping.word(PING + 8).store(self.bytes.len() as u64, Relaxed);
    }

    fn run(&mut self, calls: usize) {
        let mapping = &self.floors.mapping;
        let before = || mapping.copy_in(BYTES_THERE, &self.bytes);
        exchange(mapping.word(PING), mapping.word(PONG), calls, before, || {});
    }

    fn end(&mut self) {
        self.floors.end();
    }
}

/// Bytes to the peer and back: one copy in and one copy out, each way.
pub(crate) struct Echo {
    pub(crate) floors: Floors,
    pub(crate) bytes: Arc<[u8]>,
}

impl Contender for Echo {
    fn begin(&mut self) {
        self.floors.begin(Task::Echo);
        self.floors.mapping.word(PING + 8).store(self.bytes.len() as u64, Relaxed);
    }

    fn run(&mut self, calls: usize) {
        let mapping = &self.floors.mapping;
        let before = || mapping.copy_in(BYTES_THERE, &self.bytes);
        let after = || drop(black_box(mapping.copy_out(BYTES_BACK, self.bytes.len())));
        exchange(mapping.word(PING), mapping.word(PONG), calls, before, after);
    }

    fn end(&mut self) {
        self.floors.end();
    }
}

/// `len` samples, drawn here and summed there, without a copy.
pub(crate) struct InPlace {
    pub(crate) floors: Floors,
    pub(crate) len: usize,
}

impl Contender for InPlace {
    fn begin(&mut self) {
        self.floors.begin(Task::InPlace);
        self.floors.mapping.word(PING + 8).store(self.len as u64, Relaxed);
    }

    fn run(&mut self, calls: usize) {
        let mapping = &self.floors.mapping;
        let mut seed = 0;
        let before = || {
            seed += 1;
            mapping.with_samples(BYTES_THERE, self.len, |samples| draw(samples, seed));
        };
        exchange(mapping.word(PING), mapping.word(PONG), calls, before, || {});
    }

    fn end(&mut self) {
        self.floors.end();
    }
}

/// The sender's copy alone.
pub(crate) struct CopyIn {
    pub(crate) floors: Floors,
    pub(crate) bytes: Arc<[u8]>,
}

impl Contender for CopyIn {
    fn run(&mut self, calls: usize) {
        (0..calls).for_each(|_| self.floors.mapping.copy_in(BYTES_THERE, black_box(&self.bytes)));
    }
}
