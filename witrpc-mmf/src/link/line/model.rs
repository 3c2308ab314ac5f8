//! loom models: calls over a lane's two lines and two buffers.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::link::state::DRAINED;
use crate::memory::layout::LINE_WORDS;
use crate::memory::words::modelled::{Modelled, explore};

use super::{Copied, InlineWords, copy_out, publish, shows};

/// How many words of a message the models write to the line. One more goes to the buffer. The rest would
/// only cost time.
const USED: usize = 1;

struct Lane {
    request: [AtomicU64; LINE_WORDS],
    request_buffer: AtomicU64,
    response: [AtomicU64; LINE_WORDS],
    response_buffer: AtomicU64,
    /// The server's private word: the seq answered last.
    answered: AtomicU64,
}

impl Lane {
    fn new() -> Self {
        let line = || core::array::from_fn(|_| AtomicU64::new(0));
        let [request_buffer, response_buffer, answered] = [(); 3].map(|()| AtomicU64::new(0));
        Self { request: line(), request_buffer, response: line(), response_buffer, answered }
    }

    fn ask(&self, seq: u64, tag: u64) {
        self.request_buffer.store(buffered(tag, seq), Relaxed);
        publish::<Modelled>(&self.request, seq, tag, &payload(tag, seq), USED);
    }

    /// Returns the request `seq` and what is in its buffer, once it has been published.
    fn find(&self, seq: u64) -> Option<(Copied, u64)> {
        (shows::<Modelled>(&self.request) == seq)
            .then(|| (copy_out::<Modelled>(&self.request), self.request_buffer.load(Relaxed)))
    }

    fn answer(&self, seq: u64, (request, in_buffer): &(Copied, u64)) {
        assert_eq!(used(request), &payload(request.head, seq)[..USED], "a torn request");
        assert_eq!(*in_buffer, buffered(request.head, seq), "a buffer of another request");
        self.answered.store(seq, Relaxed);
        let tag = request.head + 100;
        self.response_buffer.store(buffered(tag, seq), Relaxed);
        publish::<Modelled>(&self.response, seq, tag, &payload(tag, seq), USED);
    }

    fn await_answer(&self, seq: u64, tag: u64) {
        while shows::<Modelled>(&self.response) != seq {
            thread::yield_now();
        }
        let answer = copy_out::<Modelled>(&self.response);
        assert_eq!(answer.head, tag + 100, "the answer to another request");
        assert_eq!(used(&answer), &payload(tag + 100, seq)[..USED], "a torn answer");
        let in_buffer = self.response_buffer.load(Relaxed);
        assert_eq!(in_buffer, buffered(tag + 100, seq), "a buffer of another answer");
    }
}

/// Returns the words of a message of this tag and seq.
fn payload(tag: u64, seq: u64) -> InlineWords {
    core::array::from_fn(|word| tag << 32 | seq << 8 | word as u64)
}

/// Returns the word of that message in the buffer.
fn buffered(tag: u64, seq: u64) -> u64 {
    payload(tag, seq)[USED]
}

fn used(copied: &Copied) -> &[u64] {
    &copied.inline[..USED]
}

#[test]
fn every_call_on_a_lane_gets_its_own_whole_answer() {
    explore(3, || {
        let lane = Arc::new(Lane::new());
        let server = thread::spawn({
            let lane = Arc::clone(&lane);
            move || {
                for seq in 1..=2 {
                    let request = loop {
                        match lane.find(seq) {
                            Some(request) => break request,
                            None => thread::yield_now(),
                        }
                    };
                    lane.answer(seq, &request);
                }
            }
        });
        for seq in 1..=2 {
            let tag = 10 * seq;
            lane.ask(seq, tag);
            lane.await_answer(seq, tag);
        }
        server.join().expect("the server");
    });
}

#[test]
fn calls_on_two_lanes_do_not_mix() {
    explore(3, || {
        let lanes = Arc::new([Lane::new(), Lane::new()]);
        let caller = |lane: usize| {
            let lanes = Arc::clone(&lanes);
            thread::spawn(move || lanes[lane].ask(1, 10 + lane as u64))
        };
        let callers = [caller(0), caller(1)];
        let look = |lane: &Lane| match lane.find(1) {
            Some(request) if lane.answered.load(Relaxed) == 0 => lane.answer(1, &request),
            _ => {}
        };
        lanes.iter().for_each(look);
        for caller in callers {
            caller.join().expect("a caller");
        }
        lanes.iter().for_each(look);
        for (lane, tag) in lanes.iter().zip([10, 11]) {
            lane.await_answer(1, tag);
        }
    });
}

/// A poller refuses the next request on a lane unless the one before was answered, by any thread.
/// So it must see the private record of that answer as soon as it sees the next request.
#[test]
fn a_poller_that_finds_the_next_request_sees_that_the_one_before_was_answered() {
    explore(3, || {
        let lane = Arc::new(Lane::new());
        lane.ask(1, 10);
        let request = lane.find(1).expect("published by this thread");

        let worker = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.answer(1, &request)
        });
        let client = thread::spawn({
            let lane = Arc::clone(&lane);
            move || {
                lane.await_answer(1, 10);
                lane.ask(2, 20);
            }
        });
        if lane.find(2).is_some() {
            assert_eq!(lane.answered.load(Relaxed), 1, "an honest client would be accused");
        }
        worker.join().expect("the worker");
        client.join().expect("the client");
    });
}

/// Runs a call while the server shuts down gracefully: see `state.rs`. `looks_again`: the client
/// looks at the response line once more after the hang-up, as it must.
fn a_call_crosses_a_shutdown(looks_again: bool) {
    explore(3, move || {
        // The lane, the state word, the hang-up (which the kernel orders), and whether the call
        // ran.
        let shared = Arc::new((Lane::new(), [(); 3].map(|()| AtomicU64::new(0))));
        let server = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (lane, [state, link, ran]) = &*shared;
                if let Some(request) = lane.find(1) {
                    ran.store(1, Relaxed);
                    lane.answer(1, &request);
                }
                state.store(DRAINED, Relaxed);
                link.store(1, Release);
            }
        });
        let (lane, [state, link, ran]) = &*shared;
        lane.ask(1, 10);
        let answered = loop {
            if shows::<Modelled>(&lane.response) == 1 {
                break true;
            }
            if link.load(Acquire) == 1 {
                break looks_again && shows::<Modelled>(&lane.response) == 1;
            }
            thread::yield_now();
        };
        server.join().expect("the server");
        assert_eq!(state.load(Relaxed), DRAINED);
        assert!(
            answered || ran.load(Relaxed) == 0,
            "a call that ran is reported as one that did not"
        );
    });
}

#[test]
fn a_call_that_a_shutdown_crosses_is_answered_or_did_not_run() {
    a_call_crosses_a_shutdown(true);
}

#[test]
#[should_panic(expected = "as one that did not")]
fn a_client_that_does_not_look_again_is_caught() {
    a_call_crosses_a_shutdown(false);
}
