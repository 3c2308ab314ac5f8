//! Several services of one server.

use std::sync::mpsc;
use std::time::Duration;

use futures_executor::block_on;
use tempfile::TempDir;
use witrpc::{
    Backoff, BindError, CallError, ConnectError, ConnectionState, DisconnectReason, Reconnect,
    WitServer, wit_service,
};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig};
use witrpc_tests::over_both_transports;
use witrpc_tests::second::{SecondAsyncClient, SecondClient, SecondServer, Shed};
use witrpc_tests::watchdog::PATIENCE;

/// A wrong version of the second service.
#[wit_service(name = "Second")]
pub trait Misremembered {
    /// It takes text.
    fn echo_text(&self, text: u8) -> String;
}

/// A service that is not served.
#[wit_service]
pub trait Bakery {
    /// Bakes.
    fn bake(&self);
}

fn plan() -> FixtureConfig {
    FixtureConfig { second: true, ..FixtureConfig::default() }
}

#[test]
fn two_services_of_one_name_are_refused_at_the_start() {
    let builder = WitServer::builder().listen(witrpc::InProcess::new());
    let twice = builder.service(SecondServer::new(Shed)).service(SecondServer::new(Shed)).start();
    assert!(matches!(twice, Err(BindError::DuplicateService { service: "Second" })));
}

over_both_transports! {
    fn each_client_reaches_its_service(transport) {
        let fixture = Fixture::with(transport, plan());
        for codec in CODECS {
            let second_service = SecondClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            let basic = BasicClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            assert_eq!((second_service.add(3, 2), basic.add(3, 2)), (Ok(1), Ok(5)));
            assert_eq!(second_service.echo_text("oh"), Ok("OH".to_owned()));
            assert_eq!(basic.echo_text("oh"), Ok("oh".to_owned()));
        }
        match BakeryClient::connect(fixture.endpoint()) {
            Err(ConnectError::UnknownService { asked, serves }) => {
                assert_eq!(asked, "Bakery");
                assert!(["Basic", "Second"].iter().all(|name| serves.contains(&(*name).to_owned())));
            }
            other => panic!("{other:?}"),
        }
    }

    fn clients_of_several_services_share_a_connection(transport) {
        let fixture = Fixture::with(transport, plan());
        for codec in CODECS {
            let basic = BasicClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            let second_service: SecondClient = basic.connection().client().unwrap();
            let later: SecondAsyncClient = block_on(second_service.connection().client_async()).unwrap();
            let back: BasicAsyncClient = second_service.connection().client().unwrap();
            let id = basic.who().unwrap().client_id;
            assert_eq!(block_on(back.who()).unwrap().client_id, id);
            assert_eq!((second_service.add(3, 2), basic.add(3, 2)), (Ok(1), Ok(5)));
            assert_eq!(block_on(later.echo_text("oh")), Ok("OH".to_owned()));
            // The connection lives as long as any client uses it.
            drop((basic, second_service, back));
            assert_eq!(block_on(later.add(3, 2)), Ok(1));
            later.connection().disconnect();
            let closed = DisconnectReason::ClosedHere;
            assert_eq!(block_on(later.add(3, 2)), Err(CallError::Disconnected(closed)));
        }
    }

    fn what_goes_for_connecting_goes_for_a_further_client(transport) {
        let fixture = Fixture::with(transport, plan());
        let basic = BasicClient::builder(fixture.endpoint()).strict(true).connect().unwrap();
        match basic.connection().client::<MisrememberedClient>() {
            Err(ConnectError::ContractMismatch { service, differences }) => {
                assert_eq!(service, "Second");
                let told = "echo_text: argument `text` is u8 here and str there";
                assert_eq!(differences[0].to_string(), told);
            }
            other => panic!("{other:?}"),
        }
        let unknown = block_on(basic.connection().client_async::<BakeryClient>());
        assert!(matches!(unknown, Err(ConnectError::UnknownService { .. })), "{unknown:?}");
        let other = basic.connection().client::<SecondClient>().unwrap();
        basic.connection().disconnect();
        let closed = CallError::Disconnected(DisconnectReason::ClosedHere);
        assert_eq!(other.add(3, 2), Err(closed.clone()));
        match basic.connection().client::<SecondClient>() {
            Err(ConnectError::Unanswered { source, .. }) => assert_eq!(source, closed),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn further_clients_come_back_with_their_connection() {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let first = Fixture::at(address.clone(), plan());
    let (tell, told) = mpsc::channel();
    let policy = Reconnect::new()
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
        .on_change(move |state| {
            // A test that needs no more states drops the receiver.
            let _ = tell.send(state);
        });
    let basic = BasicClient::builder(address.endpoint()).reconnect(policy).connect().unwrap();
    let second_service: SecondClient = basic.connection().client().unwrap();
    let next = || told.recv_timeout(PATIENCE).expect("the state changes");
    drop(first);
    assert_eq!(next(), ConnectionState::Reconnecting);
    let second = Fixture::at(address, plan());
    assert_eq!(second_service.echo_text("oh"), Ok("OH".to_owned()));
    assert_eq!(next(), ConnectionState::Connected);
    assert_eq!(basic.add(3, 2), Ok(5));
    assert_eq!(second.clients().len(), 1, "of one connection");
    drop(second_service);
    assert_eq!(basic.add(3, 2), Ok(5), "it outlives those that go over it");
    let second_service: SecondClient = basic.connection().client().unwrap();
    drop(basic);
    assert_eq!(second_service.add(3, 2), Ok(1));
    second_service.connection().disconnect();
    let closed = DisconnectReason::ClosedHere;
    assert_eq!(next(), ConnectionState::Disconnected(closed));
    assert_eq!(second_service.add(3, 2), Err(CallError::Disconnected(closed)));
}
