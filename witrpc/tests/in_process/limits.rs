//! Timeouts, lanes and sizes.

use std::thread;
use std::time::Duration;

use witrpc::{BindError, CallError, Direction, InProcess, WitServer};

use crate::service::{Corner, ShopClient, ShopServer, serve};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn a_call_ends_at_its_timeout_and_the_next_is_not_mixed_up_with_it() {
    let corner = Corner::default();
    let place = InProcess::new();
    let _server = serve(&place, &corner);
    let hasty = ShopClient::builder(place.clone()).call_timeout(SHORT).connect().unwrap();
    let patient = ShopClient::builder(place).call_timeout(None).connect().unwrap();
    let late = hasty.pass(1).unwrap_err();
    assert_eq!(late, CallError::TimedOut { after: Some(SHORT) });
    assert!(late.is_retryable() && late.maybe_executed());

    thread::scope(|scope| {
        let waits = scope.spawn(|| patient.pass(2));
        corner.gate.await_waiting(2);
        corner.gate.open();
        assert_eq!(waits.join().unwrap(), Ok(2));
    });
    assert_eq!(patient.pass(3), Ok(3));
}

#[test]
fn lanes_of_calls_given_up_come_back_with_their_answers() {
    let corner = Corner::default();
    let place = InProcess::new().lanes(1);
    let _server = serve(&place, &corner);
    let shop = ShopClient::builder(place).call_timeout(SHORT).connect().unwrap();
    assert_eq!(shop.pass(1), Err(CallError::TimedOut { after: Some(SHORT) }));
    let refused = shop.nothing().unwrap_err();
    assert_eq!(refused, CallError::NoFreeLane { lanes: 1, abandoned: 1 });
    assert!(!refused.maybe_executed());

    corner.gate.open();
    // However long the machine takes to let the handler go on.
    let mut answer = shop.pass(2);
    while matches!(answer, Err(CallError::NoFreeLane { .. } | CallError::TimedOut { .. })) {
        answer = shop.pass(2);
    }
    assert_eq!(answer, Ok(2));
}

#[test]
fn messages_over_the_limit_are_refused_on_both_ways() {
    let place = InProcess::new().max_message_size(1000);
    let _server = serve(&place, &Corner::default());
    let shop = ShopClient::connect(place).unwrap();
    let error = shop.shout(&"x".repeat(2000)).unwrap_err();
    assert!(matches!(
        error,
        CallError::TooLarge { direction: Direction::Request, len: 2000.., max: 1000 }
    ));
    assert!(!error.maybe_executed());
    let error = shop.numbers(1000).unwrap_err();
    assert!(matches!(
        error,
        CallError::TooLarge { direction: Direction::Answer, len: 8000.., max: 1000 }
    ));
    assert!(error.maybe_executed());
    assert_eq!(shop.shout("fits"), Ok("FITS".to_owned()));
}

#[test]
fn limits_out_of_bounds_are_refused_by_name() {
    let places = [
        (InProcess::new().lanes(0), "lanes"),
        (InProcess::new().lanes(1025), "lanes"),
        (InProcess::new().max_clients(0), "max_clients"),
        (InProcess::new().max_message_size(63), "max_message_size"),
    ];
    for (place, option) in places {
        let service = ShopServer::new(Corner::default());
        let refused = WitServer::builder().listen(place).service(service).start().unwrap_err();
        assert!(
            matches!(refused, BindError::LimitOutOfRange { limit, .. } if limit == option),
            "{refused}"
        );
    }
}

#[test]
fn callers_short_of_a_lane_wait_for_their_turn() {
    let place = InProcess::new().lanes(1);
    let _server = serve(&place, &Corner::default());
    let shop = ShopClient::connect(place).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let shop = &shop;
            scope.spawn(move || {
                for call in 0..50 {
                    assert_eq!(shop.add(thread, call), Ok(thread + call));
                }
            });
        }
    });
}
