//! Streams that methods return.

use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt};
use witrpc::{CallError, CallOptions, CancelToken, Codec, ConnectionState, Reconnect, StreamLimit};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{BasicClient, DivideError, Parcel, bytes_of};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::streams::{StreamsAsyncClient, StreamsClient};
use witrpc_tests::watchdog::{PATIENCE, eventually_equal};

/// Waits until no iterator or stream is left at the server.
fn until_none_runs(client: &StreamsClient) {
    eventually_equal("how many streams run", &Ok(0), || client.running());
}

over_both_transports! {
    fn items_of_every_kind_arrive_in_order(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        for codec in CODECS {
            let client = fixture.streams_with(codec);
            let numbers: Vec<u64> = client.range(100_000).unwrap().map(Result::unwrap).collect();
            assert!(numbers.into_iter().eq(0..100_000));
            let mut rng = fastrand::Rng::with_seed(7);
            for parcel in client.parcels(7, 1_000).unwrap() {
                assert_eq!(parcel.unwrap(), Parcel::random(&mut rng, 300));
            }
            let words: Vec<_> = client.words(" to be\nor ").unwrap().map(Result::unwrap).collect();
            assert_eq!(words, ["to", "be", "or"]);
            assert_eq!(client.range(0).unwrap().next(), None);
            until_none_runs(&client);
        }
    }

    fn the_async_client_gets_the_same(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams_later();
        block_on(async {
            let numbers = client.range(100_000).await.unwrap();
            let numbers: Vec<u64> = numbers.map(Result::unwrap).collect().await;
            assert!(numbers.into_iter().eq(0..100_000));
            let first = client.endless_later().await.unwrap().take(1_000);
            let first: Vec<u64> = first.map(Result::unwrap).collect().await;
            assert!(first.into_iter().eq(0..1_000));
            let mut words = client.words("one two").await.unwrap();
            assert_eq!(words.next().await, Some(Ok("one".to_owned())));
            assert_eq!(words.next().await, Some(Ok("two".to_owned())));
            assert_eq!(words.next().await, None);
        });
    }

    fn each_item_is_seen_before_the_next_is_made(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, basic) = (fixture.streams(), fixture.client());
        let mut blocking = client.gated(vec![1, 2, 3]).unwrap();
        let mut later = client.gated_later(vec![1, 2, 3]).unwrap();
        for gate in [1, 2, 3] {
            basic.arrived(gate, 1).unwrap();
            basic.open(gate).unwrap();
            assert_eq!(blocking.next(), Some(Ok(gate)));
            assert_eq!(later.next(), Some(Ok(gate)));
        }
        assert_eq!((blocking.next(), later.next()), (None, None));
    }

    fn an_item_behind_many_quick_ones_is_seen_before_the_next_is_made(transport) {
        const OPEN: u64 = 1_000;
        const QUICK: usize = 2_000;
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, basic) = (fixture.streams(), fixture.client());
        basic.open(OPEN).unwrap();
        let gates: Vec<u64> = (0..20).flat_map(|gate| [vec![OPEN; QUICK], vec![gate]].concat()).collect();
        let mut items = client.gated(gates).unwrap();
        for gate in 0..20 {
            assert!(items.by_ref().take(QUICK).all(|item| item == Ok(OPEN)));
            basic.arrived(gate, 1).unwrap();
            basic.open(gate).unwrap();
            assert_eq!(items.next(), Some(Ok(gate)));
        }
        assert_eq!(items.next(), None);
    }

    fn a_dropped_stream_stops_its_producer(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        let mut taken = client.endless().unwrap();
        assert!(taken.by_ref().take(10_000).map(Result::unwrap).eq(0..10_000));
        let never_pulled = client.endless_later().unwrap();
        // This stream waits inside its method, forever.
        let silent = client.gated_later(vec![99]).unwrap();
        assert_eq!(client.running(), Ok(3));
        drop((taken, never_pulled, silent));
        until_none_runs(&client);
    }

    fn a_stream_whose_opening_is_given_up_is_not_left_open(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        for round in 0..200 {
            let mut opening = Box::pin(later.endless_later());
            // Polled some times, unless it is open before. It is given up either way.
            for _ in 0..round % 7 {
                if opening.as_mut().now_or_never().is_some() {
                    break;
                }
            }
            drop(opening);
        }
        until_none_runs(&client);
    }

    fn errors_come_as_what_they_are(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        for codec in CODECS {
            let client = fixture.streams_with(codec);
            let refused = CallError::App(DivideError::ByZero);
            assert_eq!(client.checked(1_000).unwrap_err(), refused);
            assert_eq!(client.checked_later(1_000).unwrap_err(), refused);
            let expected = [Ok(0), Err(CallError::App("1 is odd".to_owned())), Ok(2)];
            assert!(client.checked(3).unwrap().eq(expected.clone()));
            assert!(client.checked_later(3).unwrap().eq(expected));
        }
    }

    fn a_panic_ends_the_stream_behind_the_items_before_it(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        let mut items = client.breaks(3).unwrap();
        assert!(items.by_ref().take(3).map(Result::unwrap).eq(0..3));
        match items.next() {
            Some(Err(CallError::Panicked { message })) => assert_eq!(message, "broken after 3"),
            other => panic!("{other:?}"),
        }
        assert_eq!(items.next(), None);
        let error = client.breaks_at_once().unwrap_err();
        assert_eq!(error, CallError::Panicked { message: "broken at once".to_owned() });
        until_none_runs(&client);
    }

    fn an_item_that_cannot_be_written_is_an_error_of_its_own(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams_with(Codec::Json);
        let mut items = client.unspeakable().unwrap();
        assert_eq!(items.next(), Some(Ok(vec![Some(1.0)])));
        match items.next() {
            Some(Err(CallError::EncodeAnswer { message })) => assert!(message.contains("item")),
            other => panic!("{other:?}"),
        }
        assert_eq!(items.next(), None);
    }

    fn items_of_any_size_fit_into_a_small_memory(transport) {
        let plan = FixtureConfig { size: Some(40 << 10), max_message_size: Some(1 << 20), ..FixtureConfig::default() };
        let fixture = Fixture::with_streams(transport, plan);
        let client = fixture.streams();
        for len in [0, 1, 1_000, 50_000, 300_000] {
            let blocks = client.blocks(len, 8).unwrap().map(Result::unwrap);
            let expected = (0..8).map(|seed| bytes_of(len as usize, seed));
            assert!(blocks.eq(expected), "{len} bytes");
        }
        let mut too_large = client.blocks(2 << 20, 3).unwrap();
        match too_large.next() {
            Some(Err(CallError::TooLarge { max, .. })) => assert_eq!(max, 1 << 20),
            other => panic!("{other:?}"),
        }
        assert_eq!(too_large.next(), None);
        until_none_runs(&client);
    }

    fn batches_shrink_to_the_message_size(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig { max_message_size: Some(64), ..FixtureConfig::default() });
        let client = fixture.streams();
        assert!(client.range(1_000).unwrap().map(Result::unwrap).eq(0..1_000));
        let text = "a bb ccc ".repeat(100);
        assert!(matches!(client.words(&text).unwrap_err(), CallError::TooLarge { .. }));
        let words = "a bb ccc dddd eeeee ffffff ggggggg";
        assert!(client.words(words).unwrap().map(Result::unwrap).eq(words.split(' ')));
    }

    fn an_item_that_takes_too_long_can_still_come(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, basic) = (fixture.streams(), fixture.client());
        let patience = Duration::from_millis(5);
        let late = CallError::TimedOut { after: Some(patience) };
        let mut items = client.gated_later(vec![1, 2]).unwrap().item_timeout(patience);
        assert_eq!(items.next(), Some(Err(late.clone())));
        basic.open(1).unwrap();
        let came = items.find(|item| *item != Err(late.clone()));
        assert_eq!(came, Some(Ok(1)));
        let later = fixture.streams_later();
        block_on(async {
            let mut items = later.gated_later(vec![1, 2]).await.unwrap().item_timeout(patience);
            // Its gate is open, but the item may take longer.
            while items.next().await != Some(Ok(1)) {}
            assert_eq!(items.next().await, Some(Err(late.clone())));
            basic.open(2).unwrap();
            let mut rest = Vec::new();
            while let Some(item) = items.next().await {
                rest.extend((item != Err(late.clone())).then_some(item));
            }
            assert_eq!(rest, [Ok(2)]);
        });
    }

    fn a_wait_for_an_item_that_is_given_up_loses_nothing(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (later, basic) = (fixture.streams_later(), fixture.client());
        block_on(async {
            let mut items = later.gated_later(vec![1, 2]).await.unwrap();
            for gate in [1, 2] {
                for _ in 0..3 {
                    assert_eq!(items.next().now_or_never(), None);
                }
                basic.open(gate).unwrap();
                assert_eq!(items.next().await, Some(Ok(gate)));
            }
        });
    }

    /// Streams hold more than the server's arena, pulled ahead or requested by a future and not
    /// taken.
    fn streams_that_are_not_read_on_keep_no_answer_from_coming(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let basic: BasicClient = client.connection().client().unwrap();
        let mut streams: Vec<_> = (0..15).map(|_| client.endless().unwrap()).collect();
        streams.iter_mut().for_each(|stream| assert_eq!(stream.next(), Some(Ok(0))));
        let mut asked: Vec<_> = (0..15).map(|_| block_on(later.endless()).unwrap()).collect();
        for stream in &mut asked {
            let _ = stream.next().now_or_never();
        }
        for len in [10, 1_000, 100_000] {
            let words = "ab ".repeat(len);
            let counted = client.words(&words).unwrap().map(Result::unwrap).count();
            assert_eq!(counted, len);
            assert_eq!(basic.echo(words.into_bytes()).unwrap().len(), 3 * len);
        }
        for stream in &mut streams {
            assert!(stream.take(20_000).map(Result::unwrap).eq(1..20_001));
        }
    }

    fn a_cancelled_stream_says_so_once_and_stops_its_producer(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let token = CancelToken::new();
        let options = || CallOptions::new().cancelled_by(&token);
        let (mine, mine_later) = (client.with(options()), later.with(options()));
        let mut silent = mine.gated_later(vec![1]).unwrap();
        let mut silent_later = block_on(mine_later.gated_later(vec![1])).unwrap();
        let mut busy = mine.endless().unwrap();
        assert_eq!(busy.next(), Some(Ok(0)));
        let mut other = client.endless().unwrap();
        let waiting = std::thread::spawn(move || {
            let items = [silent.next(), silent.next()];
            (items, block_on(async { [silent_later.next().await, silent_later.next().await] }))
        });
        token.cancel();
        let ended = [Some(Err(CallError::Cancelled)), None];
        assert_eq!(waiting.join().unwrap(), (ended.clone(), ended.clone()));
        assert_eq!([busy.next(), busy.next()], ended);
        drop(busy);
        eventually_equal("how many streams run", &Ok(1), || client.running());
        assert_eq!(other.next(), Some(Ok(0)));
    }

    fn many_open_streams_do_not_keep_calls_waiting(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig { lanes: Some(1024), size: Some(8 << 20), ..FixtureConfig::default() });
        let (later, basic) = (fixture.streams_later(), fixture.client());
        block_on(async {
            let mut silent = Vec::new();
            for gate in 1..=256 {
                silent.push(later.gated_later(vec![gate]).await.unwrap());
            }
            // All of them are pulled from, and none has an item.
            for stream in &mut silent {
                assert_eq!(stream.next().now_or_never(), None);
            }
            for round in 0..20 {
                assert_eq!(later.running().await, Ok(256), "round {round}");
                assert_eq!(basic.add(round, 1), Ok(round + 1));
            }
            let first: Vec<_> = later.range(50_000).await.unwrap().collect().await;
            assert_eq!(first.len(), 50_000);
            for (gate, mut stream) in (1..).zip(silent) {
                basic.open(gate).unwrap();
                assert_eq!(stream.next().await, Some(Ok(gate)));
                assert_eq!(stream.next().await, None);
            }
        });
    }

    fn streams_wait_for_half_of_the_lanes_and_no_longer_than_a_call_may_take(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig { lanes: Some(5), ..FixtureConfig::default() });
        let builder = StreamsAsyncClient::builder(fixture.endpoint());
        let builder = builder.call_timeout(Duration::from_millis(20));
        let later = block_on(builder.connect()).unwrap();
        let (basic, client) = (fixture.client(), fixture.streams());
        block_on(async {
            // To open them may take longer than to wait for a turn.
            let opening = later.with(CallOptions::new().timeout(PATIENCE));
            let mut silent = Vec::new();
            for gate in [1, 2, 3] {
                silent.push(opening.gated_later(vec![gate]).await.unwrap());
            }
            let [first, second, third] = &mut silent[..] else { panic!("there are three") };
            assert_eq!(first.next().now_or_never(), None);
            assert_eq!(second.next().now_or_never(), None);
            let broken = third.next().await;
            let Some(Err(CallError::StreamBroken { cause })) = &broken else { panic!("{broken:?}") };
            assert!(matches!(**cause, CallError::NoFreeLane { lanes: 5, .. }), "{cause:?}");
            assert_eq!(third.next().await, None);
            // The server does not keep it either.
            eventually_equal("how many streams run", &Ok(2), || client.running());
            basic.open(1).unwrap();
            assert_eq!(first.next().await, Some(Ok(1)));
        });
    }

    fn a_client_has_streams_up_to_the_limit(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        let mut open: Vec<_> = (0..1024).map(|_| client.endless().unwrap()).collect();
        assert_eq!(client.endless().unwrap_err(), CallError::TooManyStreams { limit: StreamLimit::Open, max: 1024 });
        assert!(fixture.streams().range(3).unwrap().map(Result::unwrap).eq(0..3), "of another client");
        let last = open.pop().unwrap();
        drop(last);
        eventually_equal("whether there is room for one more", &true, || client.endless().is_ok());
        drop(open);
        until_none_runs(&client);
    }

    fn a_client_that_leaves_takes_its_streams_with_it(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, other) = (fixture.streams(), fixture.streams());
        let mut streams: Vec<_> = (0..20).map(|_| client.endless().unwrap()).collect();
        streams.iter_mut().for_each(|stream| assert_eq!(stream.next(), Some(Ok(0))));
        client.connection().disconnect();
        until_none_runs(&other);
        // What had been pulled is still there, and then the stream ends with an error.
        let ended = streams[0].find_map(Result::err);
        assert!(matches!(ended, Some(CallError::Disconnected(_))), "{ended:?}");
        assert_eq!(streams[0].next(), None);
    }

    fn a_shutdown_ends_streams_and_does_not_wait_for_them(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        let mut endless = client.endless().unwrap();
        assert_eq!(endless.next(), Some(Ok(0)));
        assert!(fixture.shutdown(Duration::from_secs(60)), "all calls were answered");
        let ended = endless.find_map(Result::err).expect("it does not end by itself");
        assert!(
            matches!(ended, CallError::ShuttingDown | CallError::Disconnected(_)),
            "{ended:?}"
        );
    }

    fn streams_and_calls_of_many_threads_do_not_mix(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        std::thread::scope(|scope| {
            for seed in 0..6_u64 {
                let client = client.clone();
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    for _ in 0..20 {
                        let end = rng.u64(..20_000);
                        let items = client.range(end).unwrap().map(Result::unwrap);
                        let take = rng.usize(..=end as usize);
                        assert!(items.take(take).eq(0..take as u64));
                        let seed = rng.u64(..);
                        let mut expected = fastrand::Rng::with_seed(seed);
                        for parcel in client.parcels(seed, rng.u32(..50)).unwrap() {
                            assert_eq!(parcel.unwrap(), Parcel::random(&mut expected, 300));
                        }
                    }
                });
            }
        });
        until_none_runs(&client);
    }
}

/// Some of them over an encrypted connection.
mod encrypted {
    use super::*;

    #[test]
    fn items_of_every_kind_arrive_in_order() {
        super::items_of_every_kind_arrive_in_order(Transport::Encrypted);
    }

    #[test]
    fn the_async_client_gets_the_same() {
        super::the_async_client_gets_the_same(Transport::Encrypted);
    }

    #[test]
    fn errors_come_as_what_they_are() {
        super::errors_come_as_what_they_are(Transport::Encrypted);
    }

    #[test]
    fn a_dropped_stream_stops_its_producer() {
        super::a_dropped_stream_stops_its_producer(Transport::Encrypted);
    }

    #[test]
    fn streams_that_are_not_read_on_keep_no_answer_from_coming() {
        super::streams_that_are_not_read_on_keep_no_answer_from_coming(Transport::Encrypted);
    }
}

/// The items that were there stay there. Then the stream ends with an error, and the next stream
/// comes from the new server.
#[test]
fn a_stream_does_not_outlive_the_connection_that_it_came_over() {
    let dir = tempfile::TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let serve = || {
        Fixture::at(address.clone(), FixtureConfig { streams: true, ..FixtureConfig::default() })
    };
    let first = serve();
    let (tell, told) = mpsc::channel();
    let policy = Reconnect::new().on_change(move |state| _ = tell.send(state));
    let client = StreamsClient::builder(address.endpoint()).reconnect(policy.clone());
    let client = client.connect().unwrap();
    let later = StreamsAsyncClient::builder(address.endpoint()).reconnect(policy);
    let later = block_on(later.connect()).unwrap();
    let mut streams = [client.endless().unwrap(), client.gated_later(vec![1]).unwrap()];
    assert_eq!(streams[0].next(), Some(Ok(0)));
    let mut streams_later =
        [block_on(later.endless()).unwrap(), block_on(later.gated_later(vec![1])).unwrap()];
    drop(first);
    let _second = serve();
    let mut connected = 0;
    while connected < 2 {
        connected += u32::from(told.recv_timeout(PATIENCE) == Ok(ConnectionState::Connected));
    }
    let died =
        |error: &CallError| matches!(error, CallError::PeerDied | CallError::Disconnected(_));
    for stream in &mut streams {
        let ended = stream.find_map(Result::err).expect("it does not end by itself");
        assert!(died(&ended), "{ended:?}");
        assert_eq!(stream.next(), None);
    }
    for stream in &mut streams_later {
        let errors = stream.by_ref().filter_map(|item| std::future::ready(item.err()));
        let ended = block_on(pin!(errors).next()).expect("it does not end by itself");
        assert!(died(&ended), "{ended:?}");
        assert_eq!(block_on(stream.next()), None);
    }
    assert!(client.range(10).unwrap().map(Result::unwrap).eq(0..10));
    assert_eq!(block_on(later.sum(futures_util::stream::iter(0..10))), Ok(45));
    // The streams of the old connection have closed nothing of the new one.
    let mut next = client.endless().unwrap();
    drop((streams, streams_later));
    assert!(next.by_ref().take(20_000).map(Result::unwrap).eq(0..20_000));
}

#[test]
fn a_stream_of_a_killed_server_ends_with_its_death() {
    let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
    let client = fixture.streams();
    let mut silent = client.gated_later(vec![1]).unwrap();
    let waiting = std::thread::spawn(move || (silent.next(), silent.next()));
    let mut endless = client.endless().unwrap();
    assert_eq!(endless.next(), Some(Ok(0)));
    fixture.server_process().signal(rustix::process::Signal::KILL);
    let died =
        |error: &CallError| matches!(error, CallError::PeerDied | CallError::Disconnected(_));
    let ended = endless.find_map(Result::err).expect("it does not end by itself");
    assert!(died(&ended), "{ended:?}");
    match waiting.join().unwrap() {
        (Some(Err(error)), None) => assert!(died(&error), "{error:?}"),
        other => panic!("{other:?}"),
    }
}
