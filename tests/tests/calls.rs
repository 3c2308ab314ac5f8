//! Every form of call gives back what the handler returned, over either transport.

use std::path::Path;

use futures_executor::block_on;
use futures_util::future::join;
use witrpc::{CallError, Codec};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{
    BasicClient, Bench, DivideError, Nest, Parcel, Point, bytes_of, checksum,
};
use witrpc_tests::fixture::Fixture;
use witrpc_tests::over_every_transport;

over_every_transport! {
    fn values_arrive_as_they_were(transport) {
        let fixture = Fixture::new(transport);
        for codec in CODECS {
            let client = fixture.builder().codec(codec).connect().unwrap();
            assert_eq!(client.add(i64::MAX, 1), Ok(i64::MIN));
            assert_eq!(client.mean(&[1.0, 2.0, 6.0]), Ok(3.0));
            assert_eq!(client.mean(&[0.1]).unwrap().to_bits(), 0.1_f64.to_bits());
            let path = client.extend(Path::new("/usr"), "a \"quoted\" word").unwrap();
            assert_eq!(path, "/usr/a \"quoted\" word");
            assert_eq!(client.lookup("wörd"), Ok(Some("WÖRD".to_owned())));
            assert_eq!(client.lookup(""), Ok(None));
            let points = [Point { x: 1.0, y: 2.0 }, Point { x: 0.5, y: -2.0 }];
            assert_eq!(client.sum_points(&points), Ok(Point { x: 1.5, y: 0.0 }));
            let mut rng = fastrand::Rng::with_seed(7);
            for most in [0, 10, 1_000, 100_000] {
                let parcel = Parcel::random(&mut rng, most);
                assert_eq!(client.label(&parcel), Ok(parcel.label.clone()));
                assert_eq!(client.echo_parcel(parcel.clone()), Ok(parcel));
            }
            assert_eq!(client.depth(Nest::of_depth(20)), Ok(20));
        }
    }

    fn empty_values_arrive(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        assert_eq!(client.echo(Vec::new()), Ok(Vec::new()));
        assert_eq!(client.echo_text(""), Ok(String::new()));
        assert_eq!(client.sum_points(&[]), Ok(Point::default()));
        assert!(client.mean(&[]).unwrap().is_nan());
    }

    fn the_services_own_errors_come_back_as_their_type(transport) {
        let fixture = Fixture::new(transport);
        for codec in CODECS {
            let client = fixture.builder().codec(codec).connect().unwrap();
            assert_eq!(client.divide(7, 2), Ok(3));
            assert_eq!(client.divide(7, 0), Err(CallError::App(DivideError::ByZero)));
            let overflow = DivideError::Overflow { dividend: i64::MIN };
            assert_eq!(client.divide(i64::MIN, -1), Err(CallError::App(overflow.clone())));
            assert_eq!(client.divide_later(i64::MIN, -1), Err(CallError::App(overflow)));
        }
    }

    fn a_panic_is_an_error_and_the_server_lives_on(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        for round in 0..20 {
            let message = format!("round {round}");
            let panicked = Err(CallError::Panicked { message: message.clone() });
            assert_eq!(client.fail(&message), panicked);
            assert_eq!(client.fail_later(&message), panicked);
            assert_eq!(client.add(round, 1), Ok(round + 1));
        }
    }

    fn the_async_client_calls_every_form(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.async_client();
        block_on(async {
            assert_eq!(client.add(1, 2).await, Ok(3));
            assert_eq!(client.divide(1, 0).await, Err(CallError::App(DivideError::ByZero)));
            assert_eq!(client.lookup("a").await, Ok(Some("A".to_owned())));
            assert_eq!(client.mean(&[1.0, 3.0]).await, Ok(2.0));
            let panicked = CallError::Panicked { message: "no".to_owned() };
            assert_eq!(client.fail("no").await, Err(panicked));
            assert_eq!(client.extend(Path::new("a"), "b").await, Ok("a/b".to_owned()));
            let (one, other) = join(client.divide_later(9, 3), client.echo_text("two")).await;
            assert_eq!((one, other), (Ok(3), Ok("two".to_owned())));
        });
    }

    fn a_future_that_is_never_polled_calls_nothing(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.async_client();
        drop(client.make(1, 1));
        assert_eq!(block_on(client.count()), Ok(0));
    }

    fn handlers_see_their_caller(transport) {
        let fixture = Fixture::new(transport);
        let (one, other) = (fixture.client(), fixture.client());
        let first = one.who().unwrap();
        assert_eq!(first.pid, std::process::id());
        assert_eq!(first.uid, rustix::process::getuid().as_raw());
        let later = one.who_later().unwrap();
        assert_eq!(later.client_id, first.client_id);
        assert_ne!(later.call_id, first.call_id);
        assert_ne!(other.who().unwrap().client_id, first.client_id);
        let clone = one.clone();
        assert_eq!(clone.who().unwrap().client_id, first.client_id);
    }

    fn clients_of_one_server_choose_different_codecs(transport) {
        let fixture = Fixture::new(transport);
        let compact = fixture.builder().codec(Codec::Postcard);
        let compact = compact.connect().unwrap();
        let text = fixture.async_builder().codec(Codec::Json);
        let text = block_on(text.connect()).unwrap();
        let mut rng = fastrand::Rng::with_seed(1);
        for round in 0..50 {
            let parcel = Parcel::random(&mut rng, 2_000);
            assert_eq!(compact.echo_parcel(parcel.clone()), Ok(parcel.clone()), "round {round}");
            assert_eq!(block_on(text.echo_parcel(parcel.clone())), Ok(parcel), "round {round}");
        }
        assert_eq!(compact.connection().codec(), Codec::Postcard);
        assert_eq!(text.connection().codec(), Codec::Json);
    }

    fn messages_larger_than_the_shared_memory_arrive_whole(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        for len in [1 << 18, (1 << 20) + 1, 5_000_001, 20 << 20] {
            let bytes = bytes_of(len, 3);
            assert_eq!(client.digest(&bytes), Ok(checksum(&bytes)), "{len} bytes there");
            assert!(client.make(len as u64, 3).unwrap() == bytes, "{len} bytes back");
        }
    }
}

#[test]
fn a_client_can_have_a_server_of_its_own_in_its_process() {
    let client = BasicClient::in_process(Bench::default());
    assert_eq!(client.add(1, 2), Ok(3));
    assert_eq!(client.divide(1, 0), Err(CallError::App(DivideError::ByZero)));
}
