//! Elements that cross in place, between two processes and within one.

use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join;
use witrpc::{AllocError, CallError, CallOptions, ClientHook, DisconnectReason, Shared};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{BasicClient, Point, bytes_of, checksum};
use witrpc_tests::cancellation::CancellationClient;
use witrpc_tests::fixture::{Fixture, FixtureConfig, ServerCommand, Transport};
use witrpc_tests::over_both_transports;
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

fn with_size(transport: Transport, size: usize) -> Fixture {
    Fixture::with(transport, FixtureConfig { size: Some(size), ..FixtureConfig::default() })
}

/// Returns what a server sees of a frame that is not copied for it. In another process, the frame
/// could still be written to.
fn seen(transport: Transport, len: usize, seed: u64) -> Seen {
    Seen { checksum: checksum(&bytes_of(len, seed)), in_place: transport == Transport::Mmf }
}

/// Returns what is seen of a copy.
fn copied(len: usize, seed: u64) -> Seen {
    Seen { checksum: checksum(&bytes_of(len, seed)), in_place: false }
}

/// A hook that only observes.
struct Passing;

impl ClientHook for Passing {}

over_both_transports! {
    fn frames_of_all_sizes_cross_uncopied(transport) {
        let fixture = with_size(transport, 8 << 20);
        for codec in CODECS {
            let client = SharedMemoryClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            let later = SharedMemoryAsyncClient::builder(fixture.endpoint()).codec(codec);
            let later = block_on(later.connect()).unwrap();
            for (seed, len) in (0..).zip([0, 1, 255, 256, 257, 65_536, 1_000_000, 3_000_000]) {
                let sent = frame(&client, len, seed);
                assert_eq!(client.look(sent), Ok(seen(transport, len, seed)), "{len} {codec}");
                assert_eq!(client.look_at(&frame(&client, len, seed)), Ok(seen(transport, len, seed)));
                let looked = block_on(async {
                    let mut sent = later.connection().alloc_async::<u8>(len).await.unwrap();
                    sent.copy_from_slice(&bytes_of(len, seed));
                    later.look_later(sent.freeze()).await
                });
                assert_eq!(looked, Ok(seen(transport, len, seed)));
                let rendered = client.render(len as u64, seed).unwrap();
                assert_eq!(Seen::of(&rendered), seen(transport, len, seed), "{len} {codec}");
            }
        }
    }

    fn shared_arguments_stand_beside_all_others(transport) {
        let fixture = Fixture::new(transport);
        for codec in CODECS {
            let client = SharedMemoryClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            let mut words = client.connection().alloc::<u32>(100).unwrap();
            words.iter_mut().zip(0..).for_each(|(word, value)| *word = value);
            let mut offset = client.connection().alloc_value::<Point>().unwrap();
            *offset = Point { x: 0.5, y: 0.25 };
            let mut bytes = client.connection().alloc::<u8>(1_000).unwrap();
            bytes.fill(2);
            let (bytes, words, offset) = (bytes.freeze(), words.freeze(), offset.freeze());
            let sum = client.sum(bytes, "four", &[0.5; 60], words, offset, vec![7; 50]);
            assert_eq!(sum, Ok(2_000.0 + 4.0 + 30.0 + 4_950.0 + 0.75 + 350.0), "{codec}");
        }
    }

    fn a_value_comes_back_in_place_of_a_slice(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let points = (0..=1_000_u32).map(|n| Point { x: n.into(), y: 3.0 }).collect();
        let middle = client.middle(Shared::from_vec(points)).unwrap();
        assert_eq!(middle.get(), Point { x: 500.0, y: 3.0 });
        assert_eq!(middle.as_value().is_some(), transport == Transport::InProcess);
    }

    fn what_cannot_be_lent_is_copied(transport) {
        let fixture = Fixture::new(transport);
        let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
        let len = 50_000;
        assert_eq!(client.look(Shared::from_vec(bytes_of(len, 1))), Ok(copied(len, 1)), "private");
        assert_eq!(client.look(frame(&other, len, 2)), Ok(copied(len, 2)), "another connection's");
        let echo = client.echo(frame(&client, len, 3)).unwrap();
        assert_eq!(Seen::of(&echo), copied(len, 3), "the server's own to read, not to lend");
        assert_eq!(client.look(client.render(len as u64, 4).unwrap()), Ok(copied(len, 4)), "received");
        let twice = frame(&client, len, 5);
        let both = client.look_twice(twice.clone(), "and", twice).unwrap();
        let expected = (seen(transport, len, 5), copied(len, 5), "and".to_owned());
        assert_eq!(both, expected, "lent once in a message");
    }

    fn a_frame_is_lent_again_when_it_has_come_back(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let sent = frame(&client, 10_000, 1);
        for _ in 0..100 {
            assert_eq!(client.look(sent.clone()), Ok(seen(transport, 10_000, 1)));
        }
        assert_eq!(client.keep(sent.clone()), Ok(1));
        assert_eq!(client.look(sent.clone()), Ok(copied(10_000, 1)), "the server still has it");
        client.forget().unwrap();
        assert_eq!(client.look(sent), Ok(seen(transport, 10_000, 1)));
        // The server's own frame, to a client that has it, and to another.
        let (here, there) = (client.exhibit(5_000, 2).unwrap(), shared_memory(&fixture));
        assert_eq!(Seen::of(&here), seen(transport, 5_000, 2));
        assert_eq!(Seen::of(&client.exhibit(5_000, 2).unwrap()), copied(5_000, 2));
        assert_eq!(Seen::of(&there.exhibit(5_000, 2).unwrap()), copied(5_000, 2));
        drop(here);
        assert_eq!(Seen::of(&client.exhibit(5_000, 2).unwrap()), seen(transport, 5_000, 2));
    }

    fn a_clone_keeps_what_it_is_of(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let len = 100_000;
        let (sent, got) = (frame(&client, len, 1), client.render(len as u64, 2).unwrap());
        let (sent_too, got_too) = (sent.clone(), got.clone());
        assert_eq!(client.look(sent), Ok(seen(transport, len, 1)));
        drop(got);
        // More than there is: if a frame did not come back, there would not be enough.
        for seed in 3..30 {
            let got = client.render(len as u64, seed).unwrap();
            assert_eq!(Seen::of(&got).checksum, checksum(&bytes_of(len, seed)));
            let sent = frame(&client, len, seed);
            assert_eq!(client.look(sent), Ok(seen(transport, len, seed)));
        }
        assert_eq!(sent_too.to_vec(), bytes_of(len, 1));
        assert_eq!(got_too.to_vec(), bytes_of(len, 2));
    }

    fn hooks_stand_around_calls_that_share(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { bookkeeping: true, ..FixtureConfig::default() });
        let client = SharedMemoryClient::builder(fixture.endpoint()).hook(Passing).connect().unwrap();
        let cancellation: CancellationClient = client.connection().client().unwrap();
        let len = 100_000;
        assert_eq!(client.look(frame(&client, len, 1)), Ok(seen(transport, len, 1)));
        let rendered = client.render(len as u64, 2).unwrap();
        assert_eq!(Seen::of(&rendered), seen(transport, len, 2));
        let line = |method: &str| {
            cancellation.book().unwrap().into_iter().find(|line| line.method.1 == method)
        };
        eventually("the server's hook has been told", || line("render").is_some());
        let (request, _) = line("look").unwrap().lens;
        let (_, answer) = line("render").unwrap().lens;
        assert!(request < 1_000 && answer < 1_000, "what is lent is no part of a message");
    }

    fn the_accessors_agree(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let bytes = bytes_of(100_003, 1);
        let rendered = client.render(bytes.len() as u64, 1).unwrap();
        assert_eq!(rendered.len(), bytes.len());
        assert!(rendered.iter().eq(bytes.iter().copied()));
        assert_eq!(rendered.iter().len(), bytes.len());
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        let mut rest = rendered.iter();
        let first: u64 = rest.by_ref().take(10_000).map(u64::from).sum();
        assert_eq!((first, rest.len()), (sum(&bytes[..10_000]), bytes.len() - 10_000));
        assert_eq!(rest.map(u64::from).sum::<u64>(), sum(&bytes[10_000..]));
        for len in [1, 7, 4_096, bytes.len(), usize::MAX] {
            let mut chunks = rendered.chunks(len);
            for expected in bytes.chunks(len).take(5) {
                assert_eq!(chunks.next(), Some(expected));
            }
        }
        for index in [0, 1, 50_001, 100_002] {
            assert_eq!(rendered.get(index), Some(bytes[index]));
        }
        assert_eq!(rendered.get(bytes.len()), None);
        let mut part = vec![0; 999];
        rendered.copy_range_to(3, &mut part);
        assert_eq!(part, bytes[3..1_002]);
        let beyond = thread::spawn(move || rendered.copy_range_to(bytes.len() - 1, &mut [0; 2]));
        assert!(beyond.join().is_err());
    }

    fn a_message_too_long_for_one_piece_copies_what_it_could_lend(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let (short, long) = (bytes_of(100_000, 1), bytes_of(400_000, 2));
        let beside = client.look_beside(frame(&client, 1_000, 3), &short).unwrap();
        assert_eq!(beside, (seen(transport, 1_000, 3), checksum(&short)));
        let beside = client.look_beside(frame(&client, 1_000, 4), &long).unwrap();
        let is_copied = transport == Transport::Mmf;
        assert_eq!(beside.1, checksum(&long));
        assert_eq!(beside.0, if is_copied { copied(1_000, 4) } else { seen(transport, 1_000, 4) });
    }

    fn a_handlers_panic_gives_the_frame_back(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let half = if transport == Transport::Mmf { most(&client) / 2 } else { 100_000 };
        for _ in 0..10 {
            let spilt = client.spill(frame(&client, half, 1));
            assert!(matches!(spilt, Err(CallError::Panicked { .. })), "{spilt:?}");
        }
        assert_eq!(client.look(frame(&client, half, 2)), Ok(seen(transport, half, 2)));
    }

    fn more_than_there_can_ever_be_is_refused_at_once(transport) {
        let fixture = Fixture::new(transport);
        let client = SharedMemoryClient::builder(fixture.endpoint()).call_timeout(None).connect().unwrap();
        let connection = client.connection();
        client.open(1).unwrap();
        for len in [1 << 60, usize::MAX] {
            for refused in [
                connection.alloc::<u8>(len).map(drop),
                connection.try_alloc::<u8>(len).map(drop),
                connection.alloc_all::<u8>(&[0, len]).map(drop),
                block_on(connection.alloc_async::<u8>(len)).map(drop),
                block_on(connection.alloc_all_async::<u8>(&[0, len])).map(drop),
            ] {
                let named = match refused.unwrap_err() {
                    AllocError::NoMemory { len } if transport == Transport::InProcess => len,
                    AllocError::TooLarge { len, .. } if transport == Transport::Mmf => len,
                    other => panic!("{other}"),
                };
                assert_eq!(named, len);
            }
            let refused = client.render_later(1, len as u64, 1).unwrap_err();
            let is_named = |text: &String| text.contains(&format!("{len} bytes"));
            assert!(matches!(&refused, CallError::App(text) if is_named(text)), "{refused}");
        }
    }

    fn nothing_is_shared_over_a_connection_that_is_closed(transport) {
        let fixture = Fixture::new(transport);
        let client = shared_memory(&fixture);
        let (sent, got) = (frame(&client, 5_000, 1), client.render(5_000, 2).unwrap());
        client.connection().disconnect();
        let closed = DisconnectReason::ClosedHere;
        let refused = client.connection().alloc::<u8>(1).unwrap_err();
        assert_eq!(refused, AllocError::Disconnected(closed));
        let refused = block_on(client.connection().alloc_async::<u8>(1)).unwrap_err();
        assert_eq!(refused, AllocError::Disconnected(closed));
        assert_eq!(client.look(sent.clone()), Err(CallError::Disconnected(closed)));
        // The content can be read for as long as the frame is held.
        assert_eq!(sent.to_vec(), bytes_of(5_000, 1));
        assert_eq!(got.to_vec(), bytes_of(5_000, 2));
        // And it can be sent over another connection, by copying it.
        assert_eq!(shared_memory(&fixture).look(sent), Ok(copied(5_000, 1)));

        let other = shared_memory(&fixture);
        fixture.tell(ServerCommand::Drop);
        eventually("it has heard that the server is gone", || !other.connection().is_connected());
        let refused = other.connection().alloc::<u8>(1).unwrap_err();
        assert!(matches!(refused, AllocError::Disconnected(_)), "{refused}");
    }

    fn answers_that_are_not_fetched_give_their_memory_back(transport) {
        let fixture = Fixture::new(transport);
        let (client, opener) = (shared_memory(&fixture), shared_memory(&fixture));
        for round in 0..20 {
            let late = hasty(&client).render_later(round, 100_000, 1);
            assert!(matches!(late, Err(CallError::TimedOut { .. })), "{late:?}");
            opener.open(round).unwrap();
        }
        // Far more than fits at once has been lent by now, unless the client was faster.
        eventually("a frame is lent again", || {
            client.render(100_000, 2).is_ok_and(|frame| Seen::of(&frame) == seen(transport, 100_000, 2))
        });
    }
}

#[test]
fn every_frame_is_released_for_the_next() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let len = most(&client) / 2;
    // Forty times what there is, without one wait: a call's frame has come back with its answer.
    for seed in 0..80 {
        let mut sent = client.connection().try_alloc::<u8>(len).unwrap();
        sent.copy_from_slice(&bytes_of(len, seed));
        assert_eq!(client.look(sent.freeze()), Ok(seen(Transport::Mmf, len, seed)));
        let got = client.render(len as u64, seed).unwrap();
        assert_eq!(Seen::of(&got), seen(Transport::Mmf, len, seed));
    }
}

#[test]
fn space_is_waited_for_until_the_time_is_over() {
    let fixture = Fixture::new(Transport::Mmf);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let most = most(&client);
    client.keep(frame(&client, most, 1)).unwrap();
    let hasty = hasty(&client);
    let short = hasty.connection().alloc::<u8>(1).unwrap_err();
    assert_eq!(short, AllocError::NoSpace { len: 1, waited: Some(SOON) });
    let short = block_on(hasty.connection().alloc_async::<u8>(1)).unwrap_err();
    assert_eq!(short, AllocError::NoSpace { len: 1, waited: Some(SOON) });
    let short = client.connection().try_alloc::<u8>(1).unwrap_err();
    assert_eq!(short, AllocError::NoSpace { len: 1, waited: None });
    // Short messages go on meanwhile.
    assert_eq!(client.kept(), Ok(vec![checksum(&bytes_of(most, 1))]));
    other.forget().unwrap();
    assert!(client.connection().try_alloc::<u8>(most).is_ok());
}

#[test]
fn a_caller_that_waits_for_space_is_woken_when_it_comes_back() {
    let fixture = Fixture::new(Transport::Mmf);
    let (client, other) = (shared_memory(&fixture), shared_memory(&fixture));
    let most = most(&client);
    for seed in 0..20 {
        // Released by the server.
        client.keep(frame(&client, most, seed)).unwrap();
        thread::scope(|scope| {
            let blocking = scope.spawn(|| client.look(frame(&client, most / 2, seed)));
            let task = scope.spawn(|| {
                block_on(async {
                    let sent = client.connection().alloc_async::<u8>(most / 2).await;
                    sent.map(|sent| sent.len())
                })
            });
            other.forget().unwrap();
            let expected = seen(Transport::Mmf, most / 2, seed);
            assert_eq!(blocking.join().unwrap(), Ok(expected));
            assert_eq!(task.join().unwrap(), Ok(most / 2));
        });
        // And dropped here, without being sent.
        let held = client.connection().alloc::<u8>(most).unwrap();
        thread::scope(|scope| {
            let blocking = scope.spawn(|| client.look(frame(&client, most, seed)));
            drop(held);
            assert_eq!(blocking.join().unwrap(), Ok(seen(Transport::Mmf, most, seed)));
        });
    }
}

#[test]
fn threads_that_hold_some_and_wait_for_more_are_told_in_time() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = hasty(&shared_memory(&fixture));
    let connection = client.connection();
    let half = most(&client) / 2;
    let barrier = std::sync::Barrier::new(2);
    let take_two = || {
        let _first = connection.alloc::<u8>(half).unwrap();
        barrier.wait();
        let second = connection.alloc::<u8>(half);
        barrier.wait();
        second.map(|second| second.len())
    };
    thread::scope(|scope| {
        let both = [scope.spawn(take_two), scope.spawn(take_two)];
        for taken in both.map(|thread| thread.join().unwrap()) {
            assert_eq!(taken, Err(AllocError::NoSpace { len: half, waited: Some(SOON) }));
        }
    });
    // A caller that allocates both at once never blocks another.
    let connection = shared_memory(&fixture);
    thread::scope(|scope| {
        for is_task in [false, true, false, true] {
            let connection = connection.connection();
            scope.spawn(move || {
                for _ in 0..50 {
                    let both = if is_task {
                        block_on(connection.alloc_all_async::<u8>(&[half, half]))
                    } else {
                        connection.alloc_all::<u8>(&[half, half])
                    };
                    assert!(both.unwrap().iter().all(|one| one.len() == half));
                }
            });
        }
    });
}

#[test]
fn long_messages_go_on_beside_the_largest_lease() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let basic: BasicClient = client.connection().client().unwrap();
    let held = client.connection().alloc::<u8>(most(&client)).unwrap();
    let bytes = bytes_of(3_000_000, 1);
    // In segments, in both directions, for which space is reserved that no lease takes.
    assert_eq!(basic.echo(bytes.clone()), Ok(bytes));
    drop(held);
}

#[test]
fn many_threads_and_tasks_share_one_connection() {
    let fixture = with_size(Transport::Mmf, 2 << 20);
    let client =
        SharedMemoryClient::builder(fixture.endpoint()).call_timeout(PATIENCE).connect().unwrap();
    let later = SharedMemoryAsyncClient::builder(fixture.endpoint()).call_timeout(PATIENCE);
    let later = block_on(later.connect()).unwrap();
    thread::scope(|scope| {
        for seed in 0..4 {
            let (client, later) = (&client, &later);
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed);
                for _ in 0..60 {
                    let (len, seed) = (rng.usize(..300_000), rng.u64(..));
                    let looked = client.look(frame(client, len, seed));
                    assert_eq!(looked, Ok(seen(Transport::Mmf, len, seed)));
                    let got = client.render(len as u64, seed).unwrap();
                    assert_eq!(Seen::of(&got).checksum, seen(Transport::Mmf, len, seed).checksum);
                    let (look, render) = block_on(join(
                        async {
                            let mut sent = later.connection().alloc_async::<u8>(len).await.unwrap();
                            sent.copy_from_slice(&bytes_of(len, seed));
                            later.look_later(sent.freeze()).await
                        },
                        later.render(len as u64, seed),
                    ));
                    assert_eq!(look, Ok(seen(Transport::Mmf, len, seed)));
                    assert_eq!(render.map(|got| got.to_vec()), Ok(bytes_of(len, seed)));
                }
            });
        }
    });
}
