//! Peers that are connected and then write arbitrary values into all memory that they may write:
//! first every edge value to every control word, then any value anywhere. No other peer is
//! affected: it gets no wrong answer and no error.
//!
//! Each test takes three seconds, or as many as the environment variable `WITRPC_SCRIBBLE_SECS`
//! gives. The seed of the random values is printed, or taken from `WITRPC_SCRIBBLE_SEED`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use witrpc::AccessToken;
use witrpc_tests::adversary::mischief::Guest;
use witrpc_tests::adversary::scribbler::Scribble;
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::random_calls::errand;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, eventually_equal};

/// Few lanes, so that the words of all are at the start of a region.
const LANES: u32 = 4;
const SIZE: usize = 48 << 10;

/// The words in front of the arena that a peer reads: state, wake-up requests, lines, and some of
/// the release table.
const WORDS: u64 = 128;

/// The words where messages are sealed; only the content of the lines differs.
const SEALED_WORDS: u64 = 72;

fn number(variable: &str) -> Option<u64> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn time() -> Duration {
    Duration::from_secs(number("WITRPC_SCRIBBLE_SECS").unwrap_or(3))
}

fn seed() -> u64 {
    let seed = number("WITRPC_SCRIBBLE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("WITRPC_SCRIBBLE_SEED={seed}");
    seed
}

fn plan() -> FixtureConfig {
    FixtureConfig {
        lanes: Some(LANES),
        size: Some(SIZE),
        max_message_size: Some(1 << 18),
        streams: true,
        event_service: true,
        ..FixtureConfig::default()
    }
}

/// Runs `body` while another thread makes calls of all kinds, each of which must be answered
/// correctly.
fn while_served(fixture: &Fixture, seed: u64, body: impl FnOnce()) {
    let client = fixture.client();
    let over = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Rng::with_seed(seed);
            while !over.load(SeqCst) {
                errand(&client, &mut rng, 1 << 17).expect("the honest are served");
                calls.fetch_add(1, SeqCst);
            }
        });
        // Also when it panics.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let _over = Over(&over);
        body();
        // It is served to the end.
        let before = calls.load(SeqCst);
        let began = Instant::now();
        while calls.load(SeqCst) == before {
            assert!(began.elapsed() < PATIENCE, "the honest client waits in vain");
            thread::yield_now();
        }
    });
}

/// Runs a client that scribbles, beside an honest one.
fn scribble_to_a_server(transport: Transport, words: u64) {
    let seed = seed();
    let fixture = Fixture::with(transport, plan()).for_longer_by(time() + 5 * PATIENCE);
    while_served(&fixture, seed, || {
        let (address, plan) = (fixture.address().clone(), fixture.plan().clone());
        let mut scribbling_client = Child::start(&Role::Scribble { address, plan, seed, words });
        let chosen = Scribble::chosen(words).count() as u64;
        for number in 1..=chosen {
            assert_eq!(scribbling_client.hear::<u64>(), number);
        }
        thread::sleep(time());
        let random: u64 = scribbling_client.ask(&());
        assert!(random > 0);
        println!("{chosen} chosen writes, {random} random ones");
        scribbling_client.kill();
    });
    eventually_equal("how many clients are left", &0, || fixture.clients().len());
}

#[test]
fn a_client_that_writes_what_it_likes_harms_no_other_client() {
    scribble_to_a_server(Transport::Mmf, WORDS);
}

#[test]
fn a_client_with_the_keys_that_writes_what_it_likes_harms_no_other_client() {
    scribble_to_a_server(Transport::Encrypted, SEALED_WORDS);
}

/// Runs a server of this configuration that scribbles, with a client that makes calls of every
/// kind, beside an honest pair.
fn scribble_to_a_client(plan: FixtureConfig, words: u64) {
    let seed = seed();
    let honest = Fixture::with(Transport::Mmf, plan.clone()).for_longer_by(time() + 5 * PATIENCE);
    let address = Address::unguessable();
    let role = Role::ServeScribbling { address: address.clone(), plan: plan.clone(), seed };
    let mut hostile = Child::start(&role);
    let () = hostile.hear();
    let mut rng = Rng::with_seed(seed);
    while_served(&honest, seed, || {
        let mut guest = None::<Guest>;
        for scribble in Scribble::chosen(words) {
            if !guest.as_ref().is_some_and(Guest::is_connected) {
                drop(guest.take());
                guest = Some(Guest::connect(&address, &plan).expect("it accepts every client"));
            }
            let () = hostile.ask(&Some(scribble));
            (0..3).for_each(|_| guest.iter_mut().for_each(|guest| guest.call(&mut rng)));
        }
        hostile.tell(&None::<Scribble>);
        let began = Instant::now();
        while began.elapsed() < time() {
            if let Ok(mut guest) = Guest::connect(&address, &plan) {
                while guest.is_connected() && began.elapsed() < time() {
                    guest.call(&mut rng);
                }
            }
        }
    });
    hostile.kill();
}

#[test]
fn a_server_that_writes_what_it_likes_harms_only_calls_to_it() {
    scribble_to_a_client(plan(), WORDS);
}

#[test]
fn a_server_with_the_keys_that_writes_what_it_likes_harms_only_calls_to_it() {
    let token = Some(AccessToken::random().to_hex().to_string());
    scribble_to_a_client(FixtureConfig { token, encryption: true, ..plan() }, SEALED_WORDS);
}
