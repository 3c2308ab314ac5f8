//! A value over a limit is refused where it is made. A call that waits for room waits until its
//! time limit. The next call succeeds.

use std::time::Duration;

use futures_executor::block_on;
use witrpc::{
    CallError, Codec, ConnectError, Direction, Mmf, ResourceError, WitServer, wit_service,
};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{Nest, bytes_of};
use witrpc_tests::fixture::{Fixture, FixtureConfig, ServerCommand, Transport};
use witrpc_tests::over_every_transport;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::eventually;

const LIMIT: usize = 10_000;
/// More bytes than the encoding adds.
const OVERHEAD: usize = 100;

over_every_transport! {
    fn a_request_over_the_limit_is_refused_at_the_caller(transport) {
        let fixture = Fixture::with(transport, limited());
        let client = fixture.client();
        for len in [LIMIT + 1, 50 * LIMIT] {
            let refused = client.echo(vec![1; len]).unwrap_err();
            let CallError::TooLarge { direction: Direction::Request, len: said, max: LIMIT } = refused
            else {
                panic!("{refused}")
            };
            assert!(said >= len && said <= len + OVERHEAD, "{said} of {len}");
            assert!(!refused.maybe_executed());
        }
        assert_eq!(client.count(), Ok(0), "no handler ran");
        assert_eq!(client.echo(vec![1; LIMIT - OVERHEAD]).map(|echo| echo.len()), Ok(LIMIT - OVERHEAD));
    }

    fn an_answer_over_the_limit_is_an_error_of_its_call(transport) {
        let fixture = Fixture::with(transport, limited());
        let client = fixture.client();
        client.open(1).unwrap();
        for len in [LIMIT + 1, 50 * LIMIT] {
            let refused = client.make(len as u64, 1).unwrap_err();
            let CallError::TooLarge { direction: Direction::Answer, len: said, max: LIMIT } = refused
            else {
                panic!("{refused}")
            };
            assert!(said >= len && said <= len + OVERHEAD, "{said} of {len}");
            assert!(refused.maybe_executed());
            assert_eq!(client.make_later(1, len as u64, 1), Err(refused));
        }
        assert_eq!(client.make((LIMIT - OVERHEAD) as u64, 2), Ok(bytes_of(LIMIT - OVERHEAD, 2)));
    }

    fn a_call_without_a_lane_fails_when_its_time_is_over(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(4), ..FixtureConfig::default() });
        let client = fixture.builder().call_timeout(None).connect().unwrap();
        let helper = fixture.client();
        let hasty = fixture.builder().call_timeout(Duration::from_millis(30));
        let hasty = hasty.connect().unwrap();
        std::thread::scope(|scope| {
            // The lanes of one client, and only those.
            let held: Vec<_> = (0..4)
                .map(|token| { let client = &client; scope.spawn(move || client.hold_later(1, token)) })
                .collect();
            helper.arrived(1, 4).unwrap();
            for token in 0..4 {
                let given_up = hasty.hold_later(1, token);
                assert!(matches!(given_up, Err(CallError::TimedOut { .. })), "{given_up:?}");
            }
            let refused = hasty.add(1, 2).unwrap_err();
            assert_eq!(refused, CallError::NoFreeLane { lanes: 4, abandoned: 4 });
            assert!(refused.is_retryable() && !refused.maybe_executed());
            assert_eq!(helper.add(1, 2), Ok(3));
            helper.open(1).unwrap();
            for (token, held) in (0..).zip(held) {
                assert_eq!(held.join().unwrap(), Ok(token));
            }
        });
    }

    fn one_client_too_many_is_turned_away_until_one_leaves(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() });
        let (one, other) = (fixture.client(), fixture.client());
        let third = || fixture.builder().connect();
        let turned_away = third().unwrap_err();
        assert!(matches!(turned_away, ConnectError::TooManyClients), "{turned_away}");
        assert_eq!(one.add(1, 2), Ok(3));
        drop(one);
        eventually("the place is free again", || third().is_ok_and(|third| third.add(1, 2) == Ok(3)));
        assert_eq!(other.add(1, 2), Ok(3));
    }

    fn a_codec_that_the_server_does_not_speak_is_refused(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { postcard_only: true, ..FixtureConfig::default() });
        let refused = fixture.builder().codec(Codec::Json).connect();
        match refused.unwrap_err() {
            ConnectError::CodecNotAllowed { asked: Codec::Json, allowed } => {
                assert_eq!(allowed, [Codec::Postcard]);
            }
            other => panic!("{other}"),
        }
        assert_eq!(fixture.client().add(1, 2), Ok(3));
    }

    fn a_value_too_deep_to_decode_is_an_error_of_its_call(transport) {
        let fixture = Fixture::new(transport);
        for codec in CODECS {
            let client = fixture.builder().codec(codec).connect().unwrap();
            let bystander = fixture.client();
            let refused = client.depth(Nest::of_depth(3_000));
            assert!(
                matches!(refused, Err(CallError::BadRequest { .. } | CallError::Encode { .. })),
                "{codec}: {refused:?}"
            );
            assert_eq!(client.depth(Nest::of_depth(30)), Ok(30), "{codec}");
            assert_eq!(bystander.add(1, 2), Ok(3));
        }
    }
}

/// Requests stay in the client's memory until a worker takes them. Here there is one worker, which
/// is busy until the server ends.
#[test]
fn a_request_without_space_fails_when_its_time_is_over() {
    let plan =
        FixtureConfig { max_workers: Some(1), size: Some(1 << 18), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let hasty = fixture.builder().call_timeout(Duration::from_millis(50));
    let hasty = hasty.connect().unwrap();
    let busy = std::thread::spawn({
        let client = fixture.client();
        move || client.hold(1, 1)
    });
    eventually("the only worker is busy", || fixture.metrics().in_flight == 1);
    let mut waited = (0..64).map(|seed| hasty.digest(&bytes_of(20_000, seed)).unwrap_err());
    let timed_out = |error: &CallError| matches!(error, CallError::TimedOut { .. });
    let error = waited.find(|error| !timed_out(error)).expect("64 times 20 kB are over 256 KiB");
    assert_eq!(error, CallError::NoSpace);
    assert!(error.is_retryable() && !error.maybe_executed());
    drop(fixture);
    assert_eq!(busy.join().unwrap(), Err(CallError::PeerDied));
}

#[test]
fn a_server_without_memory_for_another_client_says_so_and_goes_on() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { size: Some(128 << 20), ..FixtureConfig::default() },
    );
    let client = fixture.client();
    fixture.tell(ServerCommand::LimitMemory(16 << 20));
    for _ in 0..3 {
        let refused = fixture.builder().connect().unwrap_err();
        let ConnectError::ServerResource(ResourceError::AddressSpace { limit, needed }) = refused
        else {
            panic!("{refused}")
        };
        assert!(limit > needed && needed == 64 << 20, "{limit} {needed}");
        assert!(refused.is_retryable());
    }
    assert_eq!(client.make(100_000, 1), Ok(bytes_of(100_000, 1)));
}

/// More than a thread's part of the heap, which may have been reserved before memory is short.
#[test]
fn a_server_without_memory_for_a_request_refuses_it_and_goes_on() {
    let long = vec![7; 80 << 20];
    for transport in [Transport::Mmf, Transport::Encrypted] {
        let plan = FixtureConfig {
            lanes: Some(4),
            max_message_size: Some(100 << 20),
            ..FixtureConfig::default()
        };
        let fixture = Fixture::with(transport, plan);
        let (client, async_client) = (fixture.client(), fixture.async_client());
        fixture.tell(ServerCommand::LimitMemory(16 << 20));
        // More times than there are lanes.
        for _ in 0..6 {
            let refused = client.digest(&long).unwrap_err();
            assert_eq!(refused, CallError::ServerNoMemory, "{transport:?}");
            assert!(refused.is_retryable() && !refused.maybe_executed());
            assert_eq!(block_on(async_client.digest(&long)), Err(refused));
        }
        assert_eq!(client.make(400_000, 1), Ok(bytes_of(400_000, 1)));
        assert_eq!(block_on(async_client.add(1, 2)), Ok(3));
    }
}

#[test]
fn a_client_without_memory_for_its_connection_says_so() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { size: Some(128 << 20), ..FixtureConfig::default() },
    );
    // Too little for its own region, then enough for that but not to map the server's too.
    for bytes in [16 << 20, 96 << 20] {
        let address = fixture.address().clone();
        let mut client = Child::start(&Role::ConnectInLittleMemory { address, bytes });
        let refused: Result<(), String> = client.ask(&());
        let refused = refused.unwrap_err();
        let told = refused.starts_with("Resource(AddressSpace") && refused.contains("67108864");
        assert!(told, "{refused}");
    }
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

/// In one block and in segments, in clear and encrypted, more often than there are lanes.
#[test]
fn a_client_drops_an_answer_that_is_longer_than_it_accepts() {
    const ACCEPTED: usize = 100_000;
    let place = Mmf::unguessable().lanes(2);
    for encryption in [false, true] {
        let builder = WitServer::builder().listen(place.clone()).encryption(encryption);
        let _server = builder.service(MakerServer::new(Factory)).start().unwrap();
        let endpoint = || place.clone().max_answer_size(ACCEPTED);
        let client = MakerClient::builder(endpoint()).encryption(encryption).connect().unwrap();
        let connect = MakerAsyncClient::builder(endpoint()).encryption(encryption).connect();
        let async_client = block_on(connect).unwrap();
        for len in [150_000, 1_000_000] {
            for _ in 0..3 {
                for made in [client.make(len), block_on(async_client.make(len))] {
                    let refused = made.unwrap_err();
                    let CallError::AnswerTooLarge { len: said, max: ACCEPTED } = refused else {
                        panic!("{refused}")
                    };
                    assert!((len as usize..len as usize + OVERHEAD).contains(&said), "{said}");
                    assert!(refused.maybe_executed() && !refused.is_retryable());
                }
            }
            assert_eq!(client.make(90_000).map(|made| made.len()), Ok(90_000));
        }
        let unbounded =
            MakerClient::builder(place.clone()).encryption(encryption).connect().unwrap();
        assert_eq!(unbounded.make(1_000_000).map(|made| made.len()), Ok(1_000_000));
    }
}

/// Makes answers of any length.
#[wit_service]
trait Maker {
    /// Returns this many bytes.
    fn make(&self, len: u64) -> Vec<u8>;
}

struct Factory;

impl Maker for Factory {
    fn make(&self, len: u64) -> Vec<u8> {
        vec![7; len as usize]
    }
}

fn limited() -> FixtureConfig {
    FixtureConfig { max_message_size: Some(LIMIT), ..FixtureConfig::default() }
}
