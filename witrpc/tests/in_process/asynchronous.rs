//! Async clients and async handlers, on an executor of a few lines.

use std::time::Duration;

use witrpc::{CallError, InProcess};

use crate::executor::{block_on, join_all, poll_once};
use crate::service::{Corner, DivideError, ShopAsyncClient, ShopClient, serve};

#[test]
fn every_pairing_of_clients_and_handlers_works() {
    let blocking = ShopClient::in_process(Corner::default());
    assert_eq!(blocking.lookup("tea"), Ok(Some("Darjeeling".to_owned())));
    assert_eq!(blocking.divide_later(6, 3), Ok(2));

    let later = ShopAsyncClient::in_process(Corner::default());
    block_on(async {
        assert_eq!(later.add(1, 2).await, Ok(3));
        assert_eq!(later.lookup("coffee").await, Ok(None));
        assert_eq!(later.mean(&[1.0, 3.0]).await, Ok(2.0));
        let by_zero = CallError::App(DivideError::ByZero { dividend: 6 });
        assert_eq!(later.divide_later(6, 0).await, Err(by_zero));
        let message = "later".to_owned();
        assert_eq!(later.panics_later().await, Err(CallError::Panicked { message }));
        assert_eq!(later.add(1, 2).await, Ok(3));
    });
}

#[test]
fn an_async_client_connects_from_any_executor() {
    let place = InProcess::new();
    let _server = serve(&place, &Corner::default());
    let shop = block_on(ShopAsyncClient::connect(place.clone())).unwrap();
    assert_eq!(block_on(shop.add(1, 2)), Ok(3));
    let built = block_on(ShopAsyncClient::builder(place).connect()).unwrap();
    assert_eq!(block_on(built.add(2, 2)), Ok(4));
}

#[test]
fn futures_do_nothing_until_they_are_polled() {
    let shop = ShopAsyncClient::in_process(Corner::default());
    drop(shop.add(1, 2));
    let unpolled = shop.add(3, 4);
    assert_eq!(block_on(shop.calls()), Ok(0));
    assert_eq!(block_on(unpolled), Ok(7));
    assert_eq!(block_on(shop.calls()), Ok(1));
}

#[test]
fn futures_can_move_between_threads() {
    let shop = ShopAsyncClient::in_process(Corner::default());
    let call = async move { shop.lookup("tea").await };
    let answer = std::thread::spawn(move || block_on(call)).join().unwrap();
    assert_eq!(answer, Ok(Some("Darjeeling".to_owned())));
}

#[test]
fn a_thousand_calls_at_once_get_their_own_answers() {
    let shop = ShopAsyncClient::in_process(Corner::default());
    let answers = join_all((0..1000).map(|value| shop.add(value, 1)));
    let expected: Vec<_> = (1..=1000).map(Ok).collect();
    assert_eq!(answers, expected);
}

#[test]
fn a_thousand_handlers_that_wait_need_no_thousand_threads() {
    let corner = Corner::default();
    let place = InProcess::new().lanes(1024);
    let _server = serve(&place, &corner);
    let shop = block_on(ShopAsyncClient::connect(place)).unwrap();
    let opener = corner.gate.clone();
    let opens = std::thread::spawn(move || {
        opener.await_waiting(1000);
        opener.open();
    });
    let answers = join_all((0..1000).map(|value| shop.pass_later(value)));
    assert!(answers.into_iter().eq((0..1000).map(Ok)));
    opens.join().unwrap();
}

#[test]
fn a_call_that_waits_for_a_lane_can_be_dropped() {
    let corner = Corner::default();
    let place = InProcess::new().lanes(2);
    let _server = serve(&place, &corner);
    let shop = block_on(ShopAsyncClient::connect(place)).unwrap();

    let held: Vec<_> = (0..2)
        .map(|value| poll_once(Box::pin(shop.pass_later(value))).expect_err("the gate is shut"))
        .collect();
    let queued = poll_once(Box::pin(shop.add(1, 1))).expect_err("no lane is free");
    let patient = poll_once(Box::pin(shop.add(2, 2))).expect_err("no lane is free");
    drop(queued);
    drop(held);
    // The lanes of calls given up come back with their answers.
    corner.gate.open();
    assert_eq!(block_on(patient), Ok(4));
    assert_eq!(block_on(shop.calls()), Ok(1), "what was dropped in the queue was never sent");
}

#[test]
fn a_future_that_is_leaked_blocks_no_other_call() {
    let corner = Corner::default();
    let place = InProcess::new().lanes(2);
    let _server = serve(&place, &corner);
    let shop = block_on(ShopAsyncClient::connect(place)).unwrap();
    for value in 0..2 {
        std::mem::forget(poll_once(Box::pin(shop.pass_later(value))));
    }
    corner.gate.open();
    for call in 0..10 {
        assert_eq!(block_on(shop.add(call, 1)), Ok(call + 1));
    }
}

#[test]
fn a_future_ends_at_its_timeout_on_any_executor() {
    let corner = Corner::default();
    let place = InProcess::new();
    let _server = serve(&place, &corner);
    let after = Duration::from_millis(20);
    let building = ShopAsyncClient::builder(place).call_timeout(after).connect();
    let shop = block_on(building).unwrap();
    let late = Err(CallError::TimedOut { after: Some(after) });
    assert_eq!(block_on(shop.pass_later(1)), late);
    corner.gate.open();
    // However long the machine takes to answer in time.
    let mut answer = late.clone();
    while answer == late {
        answer = block_on(shop.pass_later(2));
    }
    assert_eq!(answer, Ok(2));
}
