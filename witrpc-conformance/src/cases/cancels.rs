//! Calls that are given up.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use witrpc::{CallError, CallOptions, CancelToken};

use crate::MakePlace;
use crate::fixture::{Fixture, eventually, limits, load};
use crate::service::pattern;

/// A call that its caller cancels ends at once, and its handler learns it.
pub fn a_cancelled_call_is_seen_by_its_handler(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let token = CancelToken::new();
    let view = client.with(CallOptions::new().cancelled_by(&token));
    let caller = thread::spawn(move || view.stay());
    fixture.wait_for_stays(1);
    token.cancel();
    assert_eq!(caller.join().expect("it does not panic"), Err(CallError::Cancelled));
    eventually("the handler has learned it", || load(&fixture.notes.given_up) == 1);
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
}

/// Futures that are dropped end their calls, also those that wait for a lane. The lanes come back.
pub fn dropped_futures_give_their_lanes_back(make: MakePlace<'_>) {
    const LANES: u32 = 4;
    let fixture = Fixture::new(make, limits().with_lanes(LANES));
    let later = fixture.later();
    let mut staying: Vec<_> = (0..2 * LANES).map(|_| Box::pin(later.stay())).collect();
    let all_wait = block_on(poll_fn(|cx| {
        Poll::Ready(staying.iter_mut().all(|call| call.as_mut().poll(cx).is_pending()))
    }));
    assert!(all_wait);
    fixture.wait_for_stays(LANES.into());
    drop(staying);
    eventually("the handlers have learned it", || {
        load(&fixture.notes.given_up) == load(&fixture.notes.stays)
    });
    let answers = block_on(join_all((0..20).map(|len| later.echo_later(pattern(len)))));
    assert!(answers.into_iter().eq((0..20).map(|len| Ok(pattern(len)))));
}

/// A call ends at its deadline, whatever its handler does, and the handler learns it.
pub fn a_call_ends_at_its_deadline(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let brief = client.with(CallOptions::new().timeout(Duration::from_millis(1)));
    for _ in 0..10 {
        let ended = brief.stay();
        // The deadline may have passed before the server took the call.
        assert!(matches!(ended, Err(CallError::TimedOut { .. } | CallError::Expired)), "{ended:?}");
    }
    eventually("the handlers have learned it", || {
        load(&fixture.notes.given_up) == load(&fixture.notes.stays)
    });
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
}
