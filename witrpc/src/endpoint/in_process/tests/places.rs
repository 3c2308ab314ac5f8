//! Servers and clients that find each other, or do not.

use super::*;

#[test]
fn a_place_has_one_server_at_a_time() {
    let place = InProcess::named("one server at a time");
    let unserved = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(unserved, Err(ConnectError::NobodyServes { .. })));
    let first = bind(&InProcess::named("one server at a time"));
    assert!(matches!(
        place.bind(BindConfig::new(Arc::<WordAdmission>::default())),
        Err(BindError::NameInUse { .. })
    ));
    first.close(Shutdown::Now);
    let _second = bind(&place);
    connect(&place);
}

#[test]
fn a_client_can_wait_for_its_server() {
    let place = InProcess::new();
    let later = place.clone();
    let client = thread::spawn(move || later.connect(hello(b"friend", Duration::from_secs(60))));
    let _port = bind(&place);
    assert!(client.join().unwrap().is_ok());
}

#[test]
fn a_client_that_is_turned_away_leaves_no_trace() {
    let place = InProcess::new().max_clients(1);
    let port = bind(&place);
    let refused = place.connect(hello(b"foe", Duration::ZERO));
    assert!(matches!(refused, Err(ConnectError::Refused(words)) if words == b"stay out"));
    let client = connect(&place);
    let second = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(second, Err(ConnectError::TooManyClients)));
    drop(client);
    assert_eq!(port.clients(), []);
    let _next = connect(&place);
    port.stop_accepting();
    let late = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(late, Err(ConnectError::ShuttingDown)));
}

#[test]
fn limits_out_of_bounds_are_refused() {
    for (place, named) in [
        (InProcess::new().lanes(0), "lanes"),
        (InProcess::new().lanes(1025), "lanes"),
        (InProcess::new().max_clients(0), "max_clients"),
    ] {
        let refused = place.bind(BindConfig::new(Arc::<WordAdmission>::default()));
        assert!(matches!(refused, Err(BindError::LimitOutOfRange { limit, .. }) if limit == named));
    }
}
