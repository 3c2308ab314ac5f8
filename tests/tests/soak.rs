//! Random calls of all kinds and sizes, each answer verified, for 20 seconds, or as many as the
//! environment variable `WITRPC_SOAK_SECS` gives. For an hour in a release build:
//!
//! ```text
//! WITRPC_SOAK_SECS=3600 cargo test --release -p witrpc-tests --test soak -- --nocapture
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_executor::block_on;
use witrpc::{Codec, WaitPolicy};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::random_calls::Pair;

/// How connections differ in this test: codec, wait policy, shared memory in bytes, longest
/// message in bytes.
const KINDS: [(Codec, WaitPolicy, usize, usize); 4] = [
    (Codec::Postcard, WaitPolicy::Adaptive, 1 << 20, 1 << 16),
    (Codec::Postcard, WaitPolicy::Park, 1 << 18, 1 << 21),
    (Codec::Json, WaitPolicy::Adaptive, 1 << 19, 1 << 15),
    (Codec::Postcard, WaitPolicy::Spin, 1 << 23, 1 << 22),
];

#[test]
fn random_calls_give_back_what_they_should() {
    let time = Duration::from_secs(match std::env::var("WITRPC_SOAK_SECS") {
        Ok(secs) => secs.parse().expect("WITRPC_SOAK_SECS is a number of seconds"),
        Err(_) => 20,
    });
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let calls = AtomicU64::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        for (kind, (codec, wait, size, most)) in (0..).zip(KINDS) {
            let (calls, mut rng) = (&calls, Rng::with_seed(seed ^ kind));
            scope.spawn(move || {
                while started.elapsed() < time {
                    // Each server runs for at most some seconds, so that binding is random too.
                    let end = Duration::from_secs(5).min(time - started.elapsed().min(time));
                    let plan = FixtureConfig { size: Some(size), ..FixtureConfig::default() };
                    let fixture = Fixture::with(Transport::Mmf, plan);
                    calls.fetch_add(
                        soak(&fixture, codec, wait, most, end, &mut rng),
                        Ordering::Relaxed,
                    );
                }
            });
        }
    });
    println!("{} calls in {:?}", calls.load(Ordering::Relaxed), started.elapsed());
    assert!(calls.into_inner() > 0);
}

/// Calls from two threads on one connection of each kind of client. Returns how many calls were
/// made.
fn soak(
    fixture: &Fixture,
    codec: Codec,
    wait: WaitPolicy,
    most: usize,
    time: Duration,
    rng: &mut Rng,
) -> u64 {
    let blocking = fixture.builder().codec(codec).wait(wait);
    let later = fixture.async_builder().codec(codec).wait(wait);
    let pair = Pair {
        blocking: blocking.connect().expect("the server serves"),
        later: block_on(later.connect()).expect("the server serves"),
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let callers = [rng.fork(), rng.fork()].map(|mut rng| {
            let pair = &pair;
            scope.spawn(move || {
                let mut calls = 0;
                while started.elapsed() < time {
                    pair.errand(&mut rng, most).expect("the server serves");
                    calls += 1;
                }
                calls
            })
        });
        callers.map(|caller| caller.join().expect("all answers are right")).iter().sum()
    })
}
