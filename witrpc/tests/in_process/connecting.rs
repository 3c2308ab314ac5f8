//! Which clients are admitted, and how connections end.

use std::thread;
use std::time::Duration;

use witrpc::{
    BindError, CallError, Codec, ConnectError, DisconnectReason, InProcess, WitServer, wit_service,
};

use crate::service::{Corner, ShopClient, ShopServer, serve};

/// What a `Shop` of another version, and another service, look like.
mod other {
    use super::wit_service;

    #[wit_service(name = "Shop")]
    pub(crate) trait NewerShop {
        fn refund(&self, amount: u32) -> u32;
        fn add(&self, a: i64, b: i64) -> i64;
    }

    #[wit_service]
    pub(crate) trait Bank {
        fn balance(&self) -> i64;
    }

    /// Postcard does not say which of an untagged enum's variants comes.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    pub(crate) enum Amount {
        Cents(i64),
        Words(String),
    }

    #[wit_service]
    pub(crate) trait Teller {
        fn take(&self, amount: Amount) -> Amount;
    }
}

#[test]
fn methods_are_found_by_name_and_missing_ones_are_not_sent() {
    let place = InProcess::new();
    let _server = serve(&place, &Corner::default());
    let newer = other::NewerShopClient::connect(place).unwrap();
    assert_eq!(newer.add(1, 2), Ok(3), "another number there than here");
    let missing = newer.refund(1).unwrap_err();
    assert_eq!(missing, CallError::UnknownMethod { method: "refund" });
    assert!(!missing.maybe_executed());
}

#[test]
fn a_service_that_is_not_served_is_refused_by_name() {
    let place = InProcess::new();
    let _server = serve(&place, &Corner::default());
    match other::BankClient::connect(place) {
        Err(ConnectError::UnknownService { asked, serves }) => {
            assert_eq!((asked.as_str(), serves), ("Bank", vec!["Shop".to_owned()]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_place_without_a_server_is_refused_at_once() {
    let refused = ShopClient::connect(InProcess::named("no server is here"));
    match refused {
        Err(ConnectError::NobodyServes { name, waited, places }) => {
            assert!(places.is_empty(), "it has no path");
            assert_eq!((name.as_str(), waited), ("no server is here", Duration::ZERO));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_waits_for_its_server_if_asked_to() {
    let place = InProcess::named("a server that comes later");
    let client = thread::spawn(|| {
        ShopClient::builder(InProcess::named("a server that comes later"))
            .wait_for_server(Duration::from_secs(60))
            .connect()
    });
    let _server = serve(&place, &Corner::default());
    assert_eq!(client.join().unwrap().unwrap().add(1, 2), Ok(3));
}

#[test]
fn a_name_has_one_server_at_a_time() {
    let place = InProcess::new();
    let server = serve(&place, &Corner::default());
    let second = WitServer::builder()
        .listen(place.clone())
        .service(ShopServer::new(Corner::default()))
        .start();
    assert!(matches!(second, Err(BindError::NameInUse { .. })));
    drop(server);
    let _third = serve(&place, &Corner::default());
    assert_eq!(ShopClient::connect(place).unwrap().add(1, 2), Ok(3));
}

#[test]
fn disconnecting_ends_what_is_pending_and_all_later_calls() {
    let corner = Corner::default();
    let shop = ShopClient::in_process(corner.clone());
    let closed = CallError::Disconnected(DisconnectReason::ClosedHere);
    thread::scope(|scope| {
        let pending = scope.spawn(|| shop.pass(1));
        corner.gate.await_waiting(1);
        shop.connection().disconnect();
        assert_eq!(pending.join().unwrap(), Err(closed.clone()));
    });
    assert_eq!(shop.add(1, 2), Err(closed));
    assert!(!shop.connection().is_connected());
    corner.gate.open();
}

#[test]
fn a_server_that_is_dropped_ends_its_clients_and_a_new_one_takes_them() {
    let place = InProcess::new();
    let server = serve(&place, &Corner::default());
    let shop = ShopClient::connect(place.clone()).unwrap();
    assert_eq!(shop.add(1, 2), Ok(3));
    drop(server);
    let gone = shop.add(1, 2).unwrap_err();
    assert_eq!(gone, CallError::Disconnected(DisconnectReason::ServerShutDown));
    assert!(gone.is_retryable());
    let _server = serve(&place, &Corner::default());
    assert_eq!(ShopClient::connect(place).unwrap().add(1, 2), Ok(3));
}

#[test]
fn handlers_know_their_clients_apart() {
    let place = InProcess::new();
    let _server = serve(&place, &Corner::default());
    let first = ShopClient::connect(place.clone()).unwrap();
    let second = ShopClient::connect(place).unwrap();
    assert_ne!(first.client_id(), second.client_id());
    assert_eq!(first.client_id(), first.clone().client_id());
}

#[test]
fn a_codec_that_is_not_allowed_or_does_not_fit_is_refused() {
    let place = InProcess::new();
    let server = WitServer::builder().listen(place.clone()).codecs([Codec::Postcard]);
    let _server = server.service(ShopServer::new(Corner::default())).start().unwrap();
    #[cfg(feature = "json")]
    match ShopClient::builder(place.clone()).codec(Codec::Json).connect() {
        Err(ConnectError::CodecNotAllowed { asked, allowed }) => {
            assert_eq!((asked, allowed), (Codec::Json, vec![Codec::Postcard]));
        }
        other => panic!("{other:?}"),
    }
    match other::TellerClient::builder(place).codec(Codec::Postcard).connect() {
        Err(ConnectError::CodecRefused { codec, method, .. }) => {
            assert_eq!((codec, method), (Codec::Postcard, "take"));
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "messagepack")]
#[test]
fn a_client_with_a_server_of_its_own_uses_the_codec_that_fits() {
    struct Mirror;

    impl other::Teller for Mirror {
        fn take(&self, amount: other::Amount) -> other::Amount {
            amount
        }
    }

    let teller = other::TellerClient::in_process(Mirror);
    assert_eq!(teller.connection().codec(), Codec::MessagePack);
    let words = || other::Amount::Words("ten".to_owned());
    assert_eq!(teller.take(words()), Ok(words()));
}
