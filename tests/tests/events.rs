//! Events: which clients get which, in what order, and what happens to those that are not taken in
//! time.

use std::sync::{Arc, mpsc};
use std::thread;

use futures_executor::{block_on, block_on_stream};
use witrpc::{CallError, Codec, Endpoint, EventError, InProcess, Mmf, WitServer};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{Parcel, bytes_of};
use witrpc_tests::cancellation::CancellationClient;
use witrpc_tests::event_service::{
    Editors, EventServiceAsyncClient, EventServiceClient, EventServiceServer, EventServiceTicked,
    connect, connect_later, fixture, next_but_zeros, next_tick, with,
};
use witrpc_tests::fixture::{FixtureConfig, Transport};
use witrpc_tests::over_every_transport;
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Count, Role, count};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

over_every_transport! {
    fn events_come_to_all_subscribers_in_their_order(transport) {
        let fixture = fixture(transport);
        for codec in CODECS {
            let connected = fixture.builder().codec(codec).connect().unwrap();
            let first: EventServiceClient = connected.connection().client().unwrap();
            let second = connect_later(&fixture, codec);
            let mut ticks = first.ticked().unwrap();
            let mut stream = block_on_stream(block_on(second.ticked()).unwrap());
            assert_eq!(connect(&fixture).tick(0, 500, false), Ok(1_000));
            assert!((0..500).all(|number| next_tick(&mut ticks) == number));
            assert!((0..500).all(|number| next_tick(&mut stream) == number));
        }
    }

    fn events_for_one_client_come_to_that_one(transport) {
        let fixture = fixture(transport);
        let (mine, other) = (connect(&fixture), connect_later(&fixture, Codec::Json));
        let mut ticks = mine.ticked().unwrap();
        let mut stream = block_on_stream(block_on(other.ticked()).unwrap());
        assert_eq!(mine.tick(0, 3, true), Ok(3));
        assert_eq!(block_on(other.tick(10, 3, true)), Ok(3));
        assert_eq!(mine.tick(20, 1, false), Ok(2));
        assert_eq!([(); 4].map(|()| next_tick(&mut ticks)), [0, 1, 2, 20]);
        assert_eq!([(); 4].map(|()| next_tick(&mut stream)), [10, 11, 12, 20]);
    }

    fn nothing_is_sent_to_clients_without_a_subscription(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture);
        assert_eq!(client.tick(0, 100, false), Ok(0));
        assert_eq!(client.tick(0, 100, true), Ok(0));
        let mut ticks = client.ticked().unwrap();
        client.beat(10).unwrap();
        assert_eq!(client.tick(100, 1, false), Ok(1));
        assert_eq!(next_tick(&mut ticks), 100, "nothing is kept from before");
        drop(ticks);
        eventually_equal("the clients that it is sent to", &Ok(0), || client.tick(0, 1, false));
        let mut ticks = client.ticked().unwrap();
        assert_eq!(client.tick(200, 1, false), Ok(1));
        assert_eq!(next_but_zeros(&mut ticks), 200);
    }

    fn events_of_a_running_call_come_before_it_ends(transport) {
        let fixture = fixture(transport);
        let (client, basic) = (connect(&fixture), fixture.client());
        let mut ticks = client.ticked().unwrap();
        thread::scope(|scope| {
            let call = scope.spawn(|| client.announce(vec![1, 2, 3]));
            for gate in [1, 2, 3] {
                assert_eq!(next_tick(&mut ticks), gate);
                assert!(!call.is_finished());
                basic.open(gate).unwrap();
            }
            assert_eq!(call.join().unwrap(), Ok(()));
        });
    }

    fn threads_that_emit_at_once_keep_their_own_order(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture);
        let mut ticks = client.ticked().unwrap();
        let callers: Vec<_> = (0..4_u64).map(|_| connect(&fixture)).collect();
        thread::scope(|scope| {
            for (number, caller) in (0..).zip(&callers) {
                scope.spawn(move || {
                    for part in 0..50 {
                        assert_eq!(caller.tick((number << 32) + part * 4, 4, false), Ok(4));
                    }
                });
            }
            let mut expected = [0; 4];
            for _ in 0..4 * 200 {
                let tick = next_tick(&mut ticks);
                let (caller, number) = ((tick >> 32) as usize, tick & u64::from(u32::MAX));
                assert_eq!(number, expected[caller]);
                expected[caller] += 1;
            }
        });
    }

    fn large_events_come_whole(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture);
        let mut shipped = client.shipped().unwrap();
        // The second is larger than the connection's memory.
        for (seed, len) in [(1, 40_000), (2, 3_000_000), (3, 0)] {
            assert_eq!(client.ship(len, seed), Ok(1));
            let came = shipped.next().unwrap().unwrap();
            let parcel = Parcel::random(
                &mut fastrand::Rng::with_seed(seed), 300,
            );
            assert_eq!(came.parcel, parcel);
            assert_eq!(came.padding, bytes_of(len as usize, seed));
        }
    }

    fn what_is_not_taken_in_time_is_counted(transport) {
        const COUNT: u64 = 5_000;
        let fixture = fixture(transport);
        for codec in CODECS {
            let (client, other) = (connect(&fixture), connect_later(&fixture, codec));
            let (ticks, beats) = (client.ticked().unwrap(), client.beaten().unwrap());
            let knocks = client.knocked().unwrap();
            let ticks_later = block_on_stream(block_on(other.ticked()).unwrap());
            let beats_later = block_on_stream(block_on(other.beaten()).unwrap());
            client.tick(0, COUNT, false).unwrap();
            client.beat(COUNT).unwrap();
            client.knock(COUNT).unwrap();
            let counts = [
                count(ticks, COUNT, EventServiceTicked::checked),
                count(ticks_later, COUNT, EventServiceTicked::checked),
                count(beats, COUNT, |beat| beat.number),
                count(beats_later, COUNT, |beat| beat.number),
                count(knocks, COUNT, |knock| knock.number),
            ];
            for (seen, lost) in counts {
                assert!(seen >= 1_000 && lost > 0, "{counts:?}");
            }
        }
    }

    fn an_event_that_cannot_be_sent_is_reported_to_its_subscriber_and_its_emitter(transport) {
        let fixture = fixture(transport);
        let json = fixture.builder().codec(Codec::Json).connect().unwrap();
        let json: EventServiceClient = json.connection().client().unwrap();
        let postcard = connect(&fixture);
        let (mut in_json, mut in_postcard) = (json.weighed().unwrap(), postcard.weighed().unwrap());
        let refused = postcard.weigh(f64::NAN).unwrap_err();
        assert!(matches!(&refused, CallError::App(text) if text.contains("grams")), "{refused:?}");
        assert_eq!(json.weigh(1.5), Ok(2));
        assert!(matches!(in_json.next(), Some(Err(EventError::Lagged(1)))));
        assert_eq!(in_json.next().unwrap().unwrap().grams, 1.5);
        assert!(in_postcard.next().unwrap().unwrap().grams.is_nan());
        assert_eq!(in_postcard.next().unwrap().unwrap().grams, 1.5);
    }

    fn an_event_over_the_message_limit_is_counted(transport) {
        let fixture = with(transport, FixtureConfig { max_message_size: Some(50_000), ..FixtureConfig::default() });
        let client = connect(&fixture);
        let mut shipped = client.shipped().unwrap();
        for (seed, len) in [(1, 100), (2, 100_000), (3, 100)] {
            client.ship(len, seed).unwrap();
        }
        assert!(shipped.next().unwrap().is_ok());
        assert!(matches!(shipped.next(), Some(Err(EventError::Lagged(1)))));
        assert_eq!(shipped.next().unwrap().unwrap().padding.len(), 100);
    }

    fn hooks_are_told_of_calls_and_not_of_events(transport) {
        let fixture = with(transport, FixtureConfig { bookkeeping: true, ..FixtureConfig::default() });
        let client = connect(&fixture);
        let cancellation: CancellationClient = client.connection().client().unwrap();
        let mut ticks = client.ticked().unwrap();
        client.tick(0, 10, false).unwrap();
        assert!((0..10).all(|number| next_tick(&mut ticks) == number));
        drop(ticks);
        client.beat(1).unwrap();
        let mut methods = Vec::new();
        eventually("the hook is told", || {
            methods = cancellation.book().unwrap().into_iter().map(|line| line.method.1).collect();
            methods.contains(&"beat".to_owned())
        });
        methods.retain(|method| !method.is_empty() && method != "book");
        assert_eq!(methods, ["tick", "beat"]);
    }
}

#[test]
fn one_client_is_meant_however_many_servers_a_service_stands_behind() {
    let _watchdog = Watchdog::new(PATIENCE);
    let bench = Arc::default();
    let service = EventServiceServer::with_events(|events| Editors::new(&bench, events));
    let places: [Endpoint; 4] = [
        InProcess::new().into(),
        InProcess::new().into(),
        Mmf::unguessable().into(),
        Mmf::unguessable().into(),
    ];
    let serve = |place| WitServer::builder().listen(place).service(service.clone()).start();
    let _servers = places.clone().map(|place| serve(place).unwrap());
    let connect = |place| {
        let first = EventServiceClient::connect(Endpoint::clone(place)).unwrap();
        let second = block_on(EventServiceAsyncClient::connect(Endpoint::clone(place))).unwrap();
        (first, second)
    };
    let clients: Vec<_> = places.iter().map(connect).collect();
    let mut inboxes: Vec<_> = clients
        .iter()
        .map(|(first, second)| {
            let stream = block_on_stream(block_on(second.ticked()).unwrap());
            (first.ticked().unwrap(), stream)
        })
        .collect();
    for (number, (first, second)) in (0..).zip(&clients) {
        assert_eq!(first.tick(number, 1, true), Ok(1));
        assert_eq!(block_on(second.tick(100 + number, 1, true)), Ok(1));
    }
    assert_eq!(clients[0].0.tick(200, 1, false), Ok(8));
    for (number, (first, second)) in (0..).zip(&mut inboxes) {
        assert_eq!([next_tick(first), next_tick(first)], [number, 200]);
        assert_eq!([next_tick(second), next_tick(second)], [100 + number, 200]);
    }
}

#[test]
fn a_stopped_follower_does_no_harm_and_learns_what_it_has_missed() {
    const COUNT: u64 = 20_000;
    let fixture = fixture(Transport::Mmf);
    let (client, basic) = (connect(&fixture), fixture.client());
    let mut follower = Child::start(&Role::Follow { address: fixture.address().clone() });
    let () = follower.hear();
    follower.pause();
    let (tell, told) = mpsc::channel();
    let guard =
        client.on_ticked(move |tick| tell.send(tick.map(EventServiceTicked::checked)).unwrap());
    let guard = guard.unwrap();
    for part in 0..COUNT / 100 {
        assert_eq!(client.tick(part * 100, 100, false), Ok(200));
        // Clients that are awake get them meanwhile, and are answered.
        for number in part * 100..(part + 1) * 100 {
            assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(number)));
        }
        assert_eq!(basic.add(1, 2), Ok(3));
    }
    client.beat(COUNT).unwrap();
    let without_room = client.knock(COUNT).unwrap();
    assert!(without_room > 0 && without_room < COUNT, "{without_room}");
    drop(guard);
    follower.resume();
    let counts: [Count; 3] = follower.ask(&COUNT);
    for (seen, lost) in counts {
        assert_eq!(seen + lost, COUNT);
        assert!(seen > 0 && lost > 0, "{counts:?}");
    }
}
