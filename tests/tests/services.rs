//! Several services of one server.

use std::sync::mpsc;
use std::time::Duration;

use futures_executor::block_on;
use tempfile::TempDir;
use witrpc::{
    Backoff, BindError, CallError, Codec, ConnectError, ConnectionState, DisconnectReason,
    Reconnect, WitServer, wit_service,
};
use witrpc_tests::annex::{AnnexAsyncClient, AnnexClient, AnnexServer, Shed};
use witrpc_tests::over_both_transports;
use witrpc_tests::site::{Address, Plan, Site};
use witrpc_tests::watchdog::PATIENCE;
use witrpc_tests::workshop::{WorkshopAsyncClient, WorkshopClient};

/// The annex as it is not.
#[wit_service(name = "Annex")]
pub trait Misremembered {
    /// It takes text.
    fn echo_text(&self, text: u8) -> String;
}

/// A service that nobody serves.
#[wit_service]
pub trait Bakery {
    /// Bakes.
    fn bake(&self);
}

fn plan() -> Plan {
    Plan { annex: true, ..Plan::default() }
}

#[test]
fn two_services_of_one_name_are_refused_at_the_start() {
    let builder = WitServer::builder().listen(witrpc::InProcess::new());
    let twice = builder.service(AnnexServer::new(Shed)).service(AnnexServer::new(Shed)).start();
    assert!(matches!(twice, Err(BindError::DuplicateService { service: "Annex" })));
}

over_both_transports! {
    fn each_client_reaches_its_service(transport) {
        let site = Site::with(transport, plan());
        for codec in [Codec::Postcard, Codec::Json] {
            let annex = AnnexClient::builder(site.endpoint()).codec(codec).connect().unwrap();
            let workshop = WorkshopClient::builder(site.endpoint()).codec(codec).connect().unwrap();
            assert_eq!((annex.add(3, 2), workshop.add(3, 2)), (Ok(1), Ok(5)));
            assert_eq!(annex.echo_text("oh"), Ok("OH".to_owned()));
            assert_eq!(workshop.echo_text("oh"), Ok("oh".to_owned()));
        }
        match BakeryClient::connect(site.endpoint()) {
            Err(ConnectError::UnknownService { asked, serves }) => {
                assert_eq!(asked, "Bakery");
                assert!(["Workshop", "Annex"].iter().all(|name| serves.contains(&(*name).to_owned())));
            }
            other => panic!("{other:?}"),
        }
    }

    fn clients_of_several_services_share_a_connection(transport) {
        let site = Site::with(transport, plan());
        for codec in [Codec::Postcard, Codec::Json] {
            let workshop = WorkshopClient::builder(site.endpoint()).codec(codec).connect().unwrap();
            let annex: AnnexClient = workshop.connection().client().unwrap();
            let later: AnnexAsyncClient = block_on(annex.connection().client_async()).unwrap();
            let back: WorkshopAsyncClient = annex.connection().client().unwrap();
            let id = workshop.who().unwrap().client_id;
            assert_eq!(block_on(back.who()).unwrap().client_id, id);
            assert_eq!((annex.add(3, 2), workshop.add(3, 2)), (Ok(1), Ok(5)));
            assert_eq!(block_on(later.echo_text("oh")), Ok("OH".to_owned()));
            // The connection lives as long as anybody who goes over it.
            drop((workshop, annex, back));
            assert_eq!(block_on(later.add(3, 2)), Ok(1));
            later.connection().disconnect();
            let closed = DisconnectReason::ClosedHere;
            assert_eq!(block_on(later.add(3, 2)), Err(CallError::Disconnected(closed)));
        }
    }

    fn what_goes_for_connecting_goes_for_a_further_client(transport) {
        let site = Site::with(transport, plan());
        let workshop = site.client();
        match workshop.connection().client::<MisrememberedClient>() {
            Err(ConnectError::ContractMismatch { service, differences }) => {
                assert_eq!(service, "Annex");
                let told = "echo_text: argument `text` is u8 here and str there";
                assert_eq!(differences[0].to_string(), told);
            }
            other => panic!("{other:?}"),
        }
        let unknown = block_on(workshop.connection().client_async::<BakeryClient>());
        assert!(matches!(unknown, Err(ConnectError::UnknownService { .. })), "{unknown:?}");
        let other = workshop.connection().client::<AnnexClient>().unwrap();
        workshop.connection().disconnect();
        let closed = CallError::Disconnected(DisconnectReason::ClosedHere);
        assert_eq!(other.add(3, 2), Err(closed.clone()));
        match workshop.connection().client::<AnnexClient>() {
            Err(ConnectError::Unanswered { source, .. }) => assert_eq!(source, closed),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn further_clients_come_back_with_their_connection() {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let first = Site::at(address.clone(), plan());
    let (tell, told) = mpsc::channel();
    let policy = Reconnect::new()
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
        .on_change(move |state| {
            // A test that has heard enough hangs up.
            let _ = tell.send(state);
        });
    let workshop = WorkshopClient::builder(address.endpoint()).reconnect(policy).connect().unwrap();
    let annex: AnnexClient = workshop.connection().client().unwrap();
    let next = || told.recv_timeout(PATIENCE).expect("the state changes");
    drop(first);
    assert_eq!(next(), ConnectionState::Reconnecting);
    let second = Site::at(address, plan());
    assert_eq!(annex.echo_text("oh"), Ok("OH".to_owned()));
    assert_eq!(next(), ConnectionState::Connected);
    assert_eq!(workshop.add(3, 2), Ok(5));
    assert_eq!(second.clients().len(), 1, "of one connection");
    drop(annex);
    assert_eq!(workshop.add(3, 2), Ok(5), "it outlives those that go over it");
    let annex: AnnexClient = workshop.connection().client().unwrap();
    drop(workshop);
    assert_eq!(annex.add(3, 2), Ok(1));
    annex.connection().disconnect();
    let closed = DisconnectReason::ClosedHere;
    assert_eq!(next(), ConnectionState::Disconnected(closed));
    assert_eq!(annex.add(3, 2), Err(CallError::Disconnected(closed)));
}
