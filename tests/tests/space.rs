//! How much can be shared, and which callers wait for it.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use witrpc::{AllocError, CallError, CallOptions, Direction, Shared};
use witrpc_tests::basic::{bytes_of, checksum};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::shared_memory::{Seen, SharedMemoryAsyncClient, SharedMemoryClient, frame, most};
use witrpc_tests::watchdog::{PATIENCE, eventually};

/// Longer than a call to another process takes, and short enough to wait for in vain.
const SOON: Duration = Duration::from_millis(40);

fn shared_memory(fixture: &Fixture) -> SharedMemoryClient {
    SharedMemoryClient::connect(fixture.endpoint()).unwrap()
}

/// Returns the same client, for calls that are expected to time out.
fn hasty(client: &SharedMemoryClient) -> SharedMemoryClient {
    client.with(CallOptions::new().timeout(SOON))
}

/// Returns the same client, for calls that wait until the test ends the wait.
fn patient(client: &SharedMemoryClient) -> SharedMemoryClient {
    client.with(CallOptions::new().timeout(10 * PATIENCE))
}

/// Returns what is seen of a frame that is where the other side has put it.
fn lent(len: usize, seed: u64) -> Seen {
    Seen { checksum: checksum(&bytes_of(len, seed)), in_place: true }
}

/// Returns what is seen of a copy.
fn copied(len: usize, seed: u64) -> Seen {
    Seen { in_place: false, ..lent(len, seed) }
}

/// Makes the server keep all the memory that there is.
fn fill(client: &SharedMemoryClient) -> usize {
    let most = most(client);
    let all: Shared<[u8]> = client.connection().alloc(most).unwrap().freeze();
    client.keep(all).unwrap();
    most
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_future_that_waits_is_woken_when_there_is_space_and_not_before() {
    let fixture = Fixture::new(Transport::Mmf);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let most = fill(&client);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut waiting = pin!(client.connection().alloc_async::<u8>(most));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    // None of this concerns it.
    for _ in 0..200 {
        other.kept().unwrap();
    }
    assert_eq!(wakes.0.load(SeqCst), 0, "it was woken for nothing");
    other.forget().unwrap();
    eventually("it is woken", || wakes.0.load(SeqCst) > 0);
    match waiting.as_mut().poll(&mut cx) {
        Poll::Ready(Ok(space)) => assert_eq!(space.len(), most),
        other => panic!("{other:?}"),
    }
}

/// An answer that is not fetched gives way to a call that needs its lane. Its lease stays.
#[test]
fn an_answer_that_is_put_aside_keeps_what_it_lends() {
    // The server may still hold the last frames when it makes the next: there is room for all.
    const LEN: usize = 20_000;
    let plan = FixtureConfig { lanes: Some(2), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let later = SharedMemoryAsyncClient::builder(fixture.endpoint()).call_timeout(PATIENCE);
    let later = block_on(later.connect()).unwrap();
    let (client, opener) =
        (later.connection().client::<SharedMemoryClient>().unwrap(), shared_memory(&fixture));
    for gate in 0..10 {
        let mut frames = [1, 2].map(|seed| Box::pin(later.render_later(gate, LEN as u64, seed)));
        for frame in &mut frames {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(frame.as_mut().poll(&mut cx).is_pending());
        }
        opener.open(gate).unwrap();
        // There are two lanes.
        assert_eq!(client.kept(), Ok(vec![]));
        for (frame, seed) in frames.into_iter().zip([1, 2]) {
            let frame = block_on(frame).unwrap();
            assert_eq!(Seen::of(&frame), lent(LEN, seed));
        }
    }
}

#[test]
fn a_short_wish_goes_past_a_long_one_that_waits() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let connection = client.connection();
    let most = most(&client);
    let [first, second] = [0; 2].map(|_| connection.alloc::<u8>(most / 2).unwrap());
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes);
    let mut waiting = pin!(connection.alloc_async::<u8>(most));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(first);
    // A caller that takes it may need it to release the rest.
    let short = connection.alloc::<u8>(most / 4).unwrap();
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((short, second));
    assert_eq!(block_on(waiting).map(|space| space.len()), Ok(most));
}

/// Returns how long a thread has run, in nanoseconds.
fn time_run(thread: &Path) -> u64 {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn is_asleep(thread: &Path) -> bool {
    fs::read_to_string(thread.join("status")).unwrap().contains("State:\tS")
}

#[test]
fn a_thread_that_waits_is_parked() {
    let fixture = Fixture::new(Transport::Mmf);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let most = fill(&client);
    thread::scope(|scope| {
        let (told, tells) = mpsc::channel::<PathBuf>();
        let waiting = scope.spawn(move || {
            told.send(Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap()))
                .unwrap();
            patient(&client).connection().alloc::<u8>(most).map(|space| space.len())
        });
        let thread = tells.recv().unwrap();
        // It may run when it begins to wait; after that it must not, however much others do.
        eventually("it sleeps", || {
            let before = time_run(&thread);
            (0..50).for_each(|_| drop(other.kept().unwrap()));
            is_asleep(&thread) && time_run(&thread) == before
        });
        let before = time_run(&thread);
        for _ in 0..500 {
            other.kept().unwrap();
        }
        assert_eq!(time_run(&thread), before, "it has run, with nothing to do");
        other.forget().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(most));
    });
}

#[test]
fn all_there_is_can_be_had_at_once_and_more_is_refused_at_once() {
    let fixture = Fixture::new(Transport::Mmf);
    let client =
        SharedMemoryClient::builder(fixture.endpoint()).call_timeout(None).connect().unwrap();
    let most = most(&client);
    assert_eq!(client.look(frame(&client, most, 1)), Ok(lent(most, 1)));
    let connection = client.connection();
    let too_large = AllocError::TooLarge { len: most + 1, max: most };
    // Without a time limit, because it does not wait.
    assert_eq!(connection.alloc::<u8>(most + 1).unwrap_err(), too_large);
    assert_eq!(block_on(connection.alloc_async::<u8>(most + 1)).unwrap_err(), too_large);
    let together = connection.alloc_all::<u8>(&[most, 1]).unwrap_err();
    assert_eq!(together, AllocError::TooLarge { len: most + 1, max: most });
    assert!(connection.alloc::<u64>(usize::MAX / 2).is_err());
    let too_many = AllocError::TooManyAtOnce { asked: 1_025, max: 1_024 };
    assert_eq!(connection.alloc_all::<u8>(&[0; 1_025]).unwrap_err(), too_many);
    assert_eq!(block_on(connection.alloc_all_async::<u8>(&[0; 1_025])).unwrap_err(), too_many);
    let refused = client.render(most as u64 + 1, 1).unwrap_err();
    assert!(refused.to_string().contains(&most.to_string()), "the bound is named: {refused}");
}

#[test]
fn a_client_has_leases_out_up_to_the_limit() {
    const MAX: usize = 1_024;
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { size: Some(4 << 20), ..FixtureConfig::default() },
    );
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    for seed in 0..MAX as u64 {
        assert_eq!(client.keep(frame(&client, 5, seed)), Ok(seed + 1));
    }
    let refused = hasty(&client).connection().alloc::<u8>(5).unwrap_err();
    assert_eq!(refused, AllocError::TooManyLeases { max: MAX, waited: Some(SOON) });
    // Another client's leases, and the server's, are counted apart.
    assert_eq!(other.look(frame(&other, 5, 1)), Ok(lent(5, 1)));
    assert_eq!(Seen::of(&client.render(5, 1).unwrap()), lent(5, 1));
    other.forget().unwrap();
    assert_eq!(client.look(frame(&client, 5, 2)), Ok(lent(5, 2)));
}

#[test]
fn a_server_whose_memory_a_client_keeps_goes_on_with_copies() {
    let fixture = Fixture::new(Transport::Mmf);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let most = most(&client);
    let kept = client.render(most as u64, 1).unwrap();
    for seed in 2..10 {
        let got = client.render(100_000, seed).unwrap();
        assert_eq!(Seen::of(&got), copied(100_000, seed), "there is no space to lend");
        let got = other.render(100_000, seed).unwrap();
        assert_eq!(Seen::of(&got), lent(100_000, seed), "others have their own");
    }
    drop(kept);
    let got = client.render(most as u64, 11).unwrap();
    assert_eq!(Seen::of(&got), lent(most, 11));
}

#[test]
fn what_is_too_long_for_a_message_passes_only_where_it_is_lent() {
    const MAX: usize = 100_000;
    let plan = FixtureConfig {
        size: Some(4 << 20),
        max_message_size: Some(MAX),
        ..FixtureConfig::default()
    };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let len = 3 * MAX;
    let sent = frame(&client, len, 1);
    assert_eq!(client.look(sent.clone()), Ok(lent(len, 1)));
    let is_too_large = |error: &CallError, expected: Direction| match *error {
        CallError::TooLarge { direction, len: found, max } => {
            (direction, max) == (expected, MAX) && (len..len + 100).contains(&found)
        }
        _ => false,
    };
    for refused in [other.look(sent.clone()), other.look(Shared::from_vec(sent.to_vec()))] {
        let refused = refused.unwrap_err();
        assert!(is_too_large(&refused, Direction::Request), "{refused}");
    }
    client.keep(sent.clone()).unwrap();
    let refused = client.look(sent.clone()).unwrap_err();
    assert!(is_too_large(&refused, Direction::Request), "the server has it: {refused}");
    client.forget().unwrap();
    assert_eq!(client.look(sent), Ok(lent(len, 1)));

    let exhibit = client.exhibit(len as u64, 2).unwrap();
    let refused = client.exhibit(len as u64, 2).unwrap_err();
    assert!(is_too_large(&refused, Direction::Answer), "it is here already: {refused}");
    assert_eq!(Seen::of(&exhibit), lent(len, 2));
}

#[test]
fn a_handler_without_space_is_told_what_no_answer_could_carry() {
    const MAX: usize = 100_000;
    /// The bytes after the frame in an answer.
    const END: usize = 5;
    let plan = FixtureConfig { max_message_size: Some(MAX), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let client = shared_memory(&fixture);
    client.open(1).unwrap();
    let kept = client.render(most(&client) as u64, 1).unwrap();
    let longest = MAX - END;
    let got = client.render_later(1, longest as u64, 2).unwrap();
    assert_eq!(Seen::of(&got), copied(longest, 2), "there is no space to lend");
    for len in [longest + 1, 2 * MAX] {
        let refused = client.render_later(1, len as u64, 3).unwrap_err();
        let short = AllocError::NoSpace { len, waited: None };
        assert_eq!(refused, CallError::App(short.to_string()));
    }
    drop(kept);
    let got = client.render_later(1, 2 * MAX as u64, 4).unwrap();
    assert_eq!(Seen::of(&got), lent(2 * MAX, 4));
}

#[test]
fn a_server_all_of_whose_leases_a_client_keeps_goes_on_with_copies() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { size: Some(4 << 20), ..FixtureConfig::default() },
    );
    let client = shared_memory(&fixture);
    let mut kept: Vec<_> = (0..1_024).map(|seed| client.render(5, seed).unwrap()).collect();
    for (seed, got) in (0..).zip(&kept) {
        assert_eq!(Seen::of(got), lent(5, seed));
    }
    assert_eq!(Seen::of(&client.render(5, 2_000).unwrap()), copied(5, 2_000));
    kept.pop();
    assert_eq!(Seen::of(&client.render(5, 2_001).unwrap()), lent(5, 2_001));
}

#[test]
fn the_time_to_wait_for_space_is_that_of_a_call() {
    let fixture = Fixture::new(Transport::Mmf);
    let client =
        SharedMemoryClient::builder(fixture.endpoint()).call_timeout(None).connect().unwrap();
    let _held = client.connection().alloc::<u8>(most(&client)).unwrap();
    let hasty = hasty(&client);
    let short = AllocError::NoSpace { len: 1, waited: Some(SOON) };
    assert_eq!(hasty.connection().alloc::<u8>(1).unwrap_err(), short);
    assert_eq!(block_on(hasty.connection().alloc_async::<u8>(1)).unwrap_err(), short);
    let late = client.with(CallOptions::new().deadline(Instant::now()));
    let short = AllocError::NoSpace { len: 1, waited: Some(Duration::ZERO) };
    assert_eq!(late.connection().alloc::<u8>(1).unwrap_err(), short);
}
