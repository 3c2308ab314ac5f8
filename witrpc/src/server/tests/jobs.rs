//! Handlers that are `async fn`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::thread::Thread;

use crate::error::CallError;
use crate::pool::Job;
use crate::rt::spawn_scoped;

use super::by_hand::Fails;
use super::probe::{EXPLODE_LATER, Fixture, HOLD_LATER, THREAD_LATER};

/// Runs a job on this thread.
fn run(mut job: Job) {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    while job.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
        thread::park();
    }
}

#[test]
fn handlers_that_wait_hold_no_worker() {
    const WAITING: usize = 20;
    let fixture = Fixture::with(|builder| builder.max_workers(1));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..WAITING as u64)
            .map(|number| {
                let client = fixture.client();
                let answer = if number % 2 == 0 { Ok(number) } else { Err(number) };
                (answer, scope.spawn(move || client.hold_later(answer)))
            })
            .collect();
        fixture.probe.gate.await_arrivals(WAITING);
        assert_eq!(fixture.client().echo("meanwhile").unwrap(), "meanwhile");
        fixture.probe.gate.open();
        for (answer, call) in waiting {
            match call.join().unwrap() {
                Ok(value) => assert_eq!(Ok(value), answer),
                Err(CallError::App(error)) => assert_eq!(Err(error), answer),
                Err(other) => panic!("{other}"),
            }
        }
    });
}

#[test]
fn a_handler_that_is_ready_at_once_answers_at_once() {
    let fixture = Fixture::new();
    let client = fixture.client();
    fixture.probe.gate.open();
    for number in 0..1000 {
        assert_eq!(client.hold_later(Ok(number)).unwrap(), number);
    }
}

#[test]
fn a_panic_after_waiting_is_caught() {
    let fixture = Fixture::new();
    let client = fixture.client();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.call::<()>(EXPLODE_LATER).unwrap_err());
        fixture.probe.gate.await_arrivals(1);
        fixture.probe.gate.open();
        let error = call.join().unwrap();
        assert!(matches!(&error, CallError::Panicked { message } if message == "later"), "{error}");
    });
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn a_spawner_runs_handlers_where_it_wants() {
    let (jobs, spawned) = mpsc::channel();
    let jobs = Mutex::new(jobs);
    let fixture = Fixture::with(|builder| {
        builder.spawn_with(move |job| jobs.lock().unwrap().send(job).unwrap())
    });
    let client = fixture.client();
    thread::scope(|scope| {
        spawn_scoped(scope, "runtime", move || spawned.into_iter().for_each(run)).unwrap();
        assert_eq!(client.call::<String>(THREAD_LATER).unwrap(), "runtime");
        fixture.probe.gate.open();
        assert_eq!(client.hold_later(Ok(5)).unwrap(), 5);
        let error = client.call::<()>(EXPLODE_LATER).unwrap_err();
        assert!(matches!(error, CallError::Panicked { .. }), "{error}");
        drop(fixture);
    });
}

#[test]
fn the_caller_of_a_job_that_is_dropped_learns_of_it() {
    let polls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&polls);
    // Every other job is polled once before it is dropped.
    let fixture = Fixture::with(|builder| {
        builder.spawn_with(move |mut job| {
            if seen.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                let poll = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(poll.is_pending());
            }
        })
    });
    let client = fixture.client();
    let error = client.hold_later(Ok(1)).unwrap_err();
    assert!(matches!(error, CallError::ShuttingDown), "not begun: {error}");
    let error = client.hold_later(Ok(2)).unwrap_err();
    assert!(matches!(error, CallError::Panicked { .. }), "begun: {error}");
    assert_eq!(polls.load(Ordering::SeqCst), 2);
}

#[test]
fn arguments_of_an_async_handler_are_checked_too() {
    let fixture = Fixture::new();
    let client = fixture.client();
    let error = client.start(HOLD_LATER).block().outcome::<Fails<u64, u64>>().unwrap_err();
    assert!(matches!(error, CallError::BadRequest { .. }), "{error}");
    assert_eq!(client.echo("still here").unwrap(), "still here");
}
