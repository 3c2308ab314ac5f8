//! What is left for other clients by clients whose calls do not end.

mod turnstile;

use std::future::poll_fn;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::join_all;
use witrpc::{CallError, ConnectError, LeftBehindLimit};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, eventually, eventually_equal};

use turnstile::{
    FED, LANES, Pending, SHORT, Served, TurnstileClient, as_many_as_lanes, assert_too_many,
    fed_calls, tasks_that_want_workers,
};

over_both_transports! {
    fn two_clients_that_hold_all_workers_they_get_leave_one_for_a_third(transport) {
        for abandon in [false, true] {
            let served = Served::new(transport, None);
            let gate = &served.gate;
            let [first, second, third] = [(); 3].map(|()| served.client());
            let mut pending = as_many_as_lanes(&first);
            gate.drive(&mut pending, |state| state.entered >= 56);
            pending.extend(as_many_as_lanes(&second));
            gate.drive(&mut pending, |state| state.entered >= 57);
            if abandon {
                pending.clear();
            }
            for n in 0..100 {
                assert_eq!(block_on(third.add(n, 1)), Ok(n + 1));
            }
            gate.change(|state| state.passes = 2 * LANES);
            // Calls that had to wait are served as workers become free.
            assert!(block_on(join_all(pending)).into_iter().all(|answer| answer == Ok(7)));
            gate.wait_until(|state| state.entered == 2 * LANES);
            assert_eq!(block_on(first.add(1, 1)), Ok(2));
            assert_eq!(block_on(second.add(1, 1)), Ok(2));
        }
    }

    fn a_client_that_was_alone_leaves_workers_for_those_that_come(transport) {
        let served = Served::new(transport, None);
        let first = served.client();
        let mut pending = as_many_as_lanes(&first);
        served.gate.drive(&mut pending, |state| state.entered >= 56);
        drop(pending);
        let second = served.client();
        assert_eq!(block_on(second.add(1, 1)), Ok(2));
    }

    fn a_client_that_comes_back_until_it_is_refused_keeps_no_worker_from_others(transport) {
        // Of eight workers, one is reserved for a client that has none.
        let (max_workers, most) = (8, 7);
        let served = Served::new(transport, Some(max_workers));
        let gate = &served.gate;
        let honest = [(); 2].map(|()| served.honest_client());
        let are_served = |when: &str| {
            for (n, client) in (0..20).flat_map(|n| honest.iter().map(move |client| (n, client))) {
                assert_eq!(client.add(n, 1), Ok(n + 1), "{when}");
            }
        };
        let mut stuck = 0;
        let refused = (1..).find_map(|visit| {
            let hostile = match served.try_client() {
                Ok(hostile) => hostile,
                Err(refused) => return Some(refused),
            };
            let mut pending = as_many_as_lanes(&hostile);
            gate.drive(&mut pending, |state| state.entered > stuck);
            are_served(&format!("the first of its calls runs beside {stuck} left behind"));
            stuck += most;
            gate.drive(&mut pending, |state| state.entered == stuck);
            are_served(&format!("{stuck} handlers are stuck"));
            drop(pending);
            drop(hostile);
            served.have_left(visit);
            are_served(&format!("{stuck} handlers are left behind"));
            None
        });
        assert_too_many(&refused.expect("it comes back until it is refused"), 8);
        assert_eq!(stuck, 2 * most);
        gate.change(|state| state.passes = stuck);
        let threads = || served.server.metrics().workers <= max_workers + 1;
        eventually("the threads that were too many end", threads);
        let back = served.try_client().unwrap();
        assert_eq!(block_on(back.add(1, 1)), Ok(2));
        are_served("all handlers have returned");
    }

    fn a_client_that_leaves_fed_methods_behind_is_refused_when_it_comes_back(transport) {
        let max_workers = 20;
        let served = Served::new(transport, Some(max_workers));
        let gate = &served.gate;
        let honest = [(); 2].map(|()| served.honest_client());
        let are_served = |when: &str| {
            for (n, client) in (0..20).flat_map(|n| honest.iter().map(move |client| (n, client))) {
                assert_eq!(client.add(n, 1), Ok(n + 1), "{when}");
                assert_eq!(client.sum([n, 1].into_iter()), Ok(n + 1), "{when}");
            }
        };
        // Two visits leave fewer threads behind than are allowed, the third more.
        let (most, mut stuck) = (3 * FED, 0);
        let refused = (1..).find_map(|visit| {
            let hostile = match served.try_client() {
                Ok(hostile) => hostile,
                Err(refused) => return Some(refused),
            };
            assert!(stuck < most, "it is let in with {stuck} threads left behind");
            // One of them waits for a thread.
            let mut pending = fed_calls(&hostile, FED + 1);
            stuck += FED;
            gate.drive(&mut pending, |state| state.entered == stuck);
            are_served(&format!("{stuck} fed methods are stuck"));
            drop(pending);
            drop(hostile);
            served.have_left(visit);
            are_served(&format!("{stuck} fed methods are left behind"));
            None
        });
        assert_too_many(&refused.expect("it comes back until it is refused"), max_workers.into());
        assert_eq!(stuck, most);
        are_served("clients are refused");
        gate.change(|state| state.passes = stuck);
        eventually("clients are let in again", || served.try_client().is_ok());
        are_served("all handlers have returned");
    }

    fn fed_methods_and_others_that_are_left_behind_have_one_bound(transport) {
        let served = Served::new(transport, Some(8));
        let gate = &served.gate;
        let honest = served.honest_client();
        let hostile = served.client();
        let mut pending = fed_calls(&hostile, 5);
        pending.extend((0..3).map(|_| Box::pin(hostile.hold()) as Pending<'_>));
        gate.drive(&mut pending, |state| state.entered == 8);
        // Their client is connected, so they do not count as left behind.
        let other = served.client();
        assert_eq!(block_on(other.add(1, 1)), Ok(2));
        drop(pending);
        drop(hostile);
        served.have_left(1);
        assert_too_many(&served.try_client().unwrap_err(), 8);
        assert_eq!(block_on(other.add(1, 1)), Ok(2));
        assert_eq!(honest.sum(0..5), Ok(10));
        gate.change(|state| state.passes = 1);
        eventually("with one less, clients are let in", || served.try_client().is_ok());
    }

    fn handlers_that_block_after_they_have_waited_leave_workers_too(transport) {
        let served = Served::new(transport, None);
        let [first, second] = [(); 2].map(|()| served.client());
        let pending = tasks_that_want_workers(&served.gate, &first, 56);
        for n in 0..100 {
            assert_eq!(block_on(second.add(n, 1)), Ok(n + 1));
        }
        served.gate.change(|state| state.passes = LANES);
        assert!(block_on(join_all(pending)).into_iter().all(|answer| answer == Ok(7)));
    }

    fn a_shutdown_answers_all_that_waits_for_a_worker(transport) {
        // Of eight workers, one may be reserved for a client that has none.
        for (max_workers, held) in [(1, 1), (8, 7)] {
            let served = Served::new(transport, Some(max_workers));
            let gate = &served.gate;
            let [client, other] = [(); 2].map(|()| served.client());
            let mut pending = as_many_as_lanes(&client);
            pending.extend(as_many_as_lanes(&other));
            gate.drive(&mut pending, |state| state.entered >= held);
            let handle = served.server.handle();
            let shutdown = thread::spawn(move || handle.shutdown(PATIENCE));
            // The call has no lane, so it is refused before it is sent, or not sent.
            let is_draining = || client.add(1, 1).now_or_never() == Some(Err(CallError::ShuttingDown));
            eventually("the client knows of the shutdown", is_draining);
            gate.change(|state| state.passes = usize::MAX);
            let answers = block_on(join_all(pending));
            assert_eq!(answers, [const { Ok(7) }; 2 * LANES]);
            assert!(shutdown.join().unwrap(), "all calls were answered");
        }
    }

    fn a_shutdown_answers_tasks_that_are_held_back(transport) {
        // Of eight workers, one is reserved for the client that has none.
        let served = Served::new(transport, Some(8));
        let gate = &served.gate;
        let [client, _other] = [(); 2].map(|()| served.client());
        let pending = tasks_that_want_workers(gate, &client, 7);
        let handle = served.server.handle();
        let shutdown = thread::spawn(move || handle.shutdown(PATIENCE));
        let is_draining = || client.add(1, 1).now_or_never() == Some(Err(CallError::ShuttingDown));
        eventually("the client knows of the shutdown", is_draining);
        gate.change(|state| state.passes = usize::MAX);
        assert_eq!(block_on(join_all(pending)), [const { Ok(7) }; LANES]);
        assert!(shutdown.join().unwrap(), "all calls were answered");
    }

    fn a_shutdown_whose_time_is_over_drops_tasks_that_are_held_back(transport) {
        const RUN: usize = 7;
        let served = Served::new(transport, Some(8));
        let gate = &served.gate;
        let [client, _other] = [(); 2].map(|()| served.client());
        let id = served.server.clients().iter().map(|client| client.id).min().unwrap();
        let pending = tasks_that_want_workers(gate, &client, RUN);
        // It returns although no call is released.
        assert!(!served.server.shutdown(Duration::from_millis(1)));
        for answer in block_on(join_all(pending)) {
            assert!(matches!(answer, Err(CallError::Disconnected(_))), "{answer:?}");
        }
        let named = || served.server.running().iter().map(ToString::to_string).collect();
        let those_that_run = vec![format!("Turnstile::hold_later for client {id}"); RUN];
        eventually_equal::<Vec<_>>("the methods that still run", &those_that_run, named);
        gate.wait_until(|state| state.futures == RUN);
        gate.change(|state| state.passes = usize::MAX);
        gate.wait_until(|state| state.futures == 0 && state.entered == RUN);
        assert!(!served.server.shutdown(PATIENCE), "it was not drained");
        assert!(served.server.running().is_empty());
    }

    fn with_one_worker_clients_take_turns(transport) {
        let served = Served::new(transport, Some(1));
        let gate = &served.gate;
        let [first, second, third] = [(); 3].map(|()| served.client());
        // It is served, so that the server looks at it in every turn: to notice one that rings
        // takes another thread, which the machine may run late.
        let mut pending = vec![Box::pin(third.hold()) as Pending<'_>];
        gate.drive(&mut pending, |state| state.entered == 1);
        pending.extend(as_many_as_lanes(&first));
        pending.extend(as_many_as_lanes(&second));
        gate.drive(&mut pending, |_| true);
        let mut call = Box::pin(third.add(1, 1)) as Pending<'_>;
        let answer = block_on(poll_fn(|cx| {
            if let answer @ Poll::Ready(_) = call.as_mut().poll(cx) {
                return answer;
            }
            pending.retain_mut(|call| call.as_mut().poll(cx).is_pending());
            // Long before the others run out of calls, because they are served in bursts.
            assert!(pending.len() > LANES, "a client waits for the calls of others");
            let mut state = gate.0.0.lock().unwrap();
            state.test = Some(cx.waker().clone());
            state.passes = 1;
            drop(state);
            gate.0.1.notify_all();
            Poll::Pending
        }));
        assert_eq!(answer, Ok(2));
    }

    fn with_one_worker_a_client_waits_while_one_that_came_before_keeps_it(transport) {
        let served = Served::new(transport, Some(1));
        let gate = &served.gate;
        let hostile = served.client();
        let mut pending = vec![Box::pin(hostile.hold()) as Pending<'_>];
        gate.drive(&mut pending, |state| state.entered == 1);
        let hasty = TurnstileClient::builder(served.endpoint.clone()).call_timeout(SHORT);
        let late = hasty.connect().unwrap().add(1, 1);
        assert_eq!(late, Err(CallError::TimedOut { after: Some(SHORT) }));
        let patient = served.client();
        let mut waiting = Box::pin(patient.add(2, 1));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        gate.drive(&mut pending, |_| true);
        drop(pending);
        drop(hostile);
        assert_eq!(block_on(waiting), Ok(3));
        assert_eq!(served.honest_client().add(3, 1), Ok(4), "the handler has not returned");
    }

    fn with_one_worker_eight_clients_may_leave_one_behind_and_a_ninth_is_refused(transport) {
        const MOST: u64 = 8;
        let served = Served::new(transport, Some(1));
        let gate = &served.gate;
        let honest = served.honest_client();
        for visit in 1..=MOST {
            let hostile = served.client();
            let mut pending = vec![Box::pin(hostile.hold()) as Pending<'_>];
            gate.drive(&mut pending, |state| state.entered as u64 == visit);
            drop(pending);
            drop(hostile);
            served.have_left(visit);
            assert_eq!(honest.add(visit, 1), Ok(visit + 1), "{visit} threads are left behind");
        }
        let refused = served.try_client().unwrap_err();
        let limit = LeftBehindLimit::Threads;
        assert!(
            matches!(refused, ConnectError::TooManyLeftBehind { limit: of, max: MOST } if of == limit),
            "{refused}"
        );
        assert_eq!(honest.add(1, 1), Ok(2), "as many threads are left behind as may be");
        gate.change(|state| state.passes = 1);
        eventually("a client is let in again", || served.try_client().is_ok());
        assert_eq!(block_on(served.client().add(1, 1)), Ok(2));
    }
}

#[test]
fn with_one_worker_a_client_that_is_killed_keeps_others_no_longer() {
    let config = FixtureConfig { max_workers: Some(1), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, config);
    let address = fixture.address().clone();
    let hostile = Child::start(&Role::Hold { address, gate: 1, timeout: PATIENCE });
    eventually("it keeps the worker", || fixture.metrics().in_flight == 1);
    let late = fixture.builder().call_timeout(SHORT).connect().unwrap().add(1, 1);
    assert_eq!(late, Err(CallError::TimedOut { after: Some(SHORT) }));
    let patient = fixture.async_client();
    let mut waiting = Box::pin(patient.add(2, 1));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    hostile.kill();
    assert_eq!(block_on(waiting), Ok(3));
    assert_eq!(fixture.metrics().in_flight, 1, "the handler has not returned");
    fixture.client().open(1).unwrap();
    eventually("it returns when it may", || fixture.metrics().in_flight == 0);
}
