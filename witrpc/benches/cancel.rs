//! How long it takes until a handler sees that its caller has given up.
//!
//! Both processes read the same clock: the caller just before it gives up (or the deadline itself),
//! the handler when it has seen it.

#![allow(clippy::disallowed_methods, reason = "benchmarks start threads as they like")]

mod support;

use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use support::executor::block_on;
use support::options::Options;
use support::peer::{self, Parts};
use support::race::percentile;
use support::report::Report;
use support::service::Serving;
use support::ward::{WardAsyncClient, WardClient, now};
use witrpc::{CallOptions, CancelToken};

fn main() {
    peer::run(cancel);
}

/// How far off a deadline is: long enough for its handler to begin.
const DEADLINE: Duration = Duration::from_millis(2);

/// The time without requests to the server, before and after a call is given up: the thread that would
/// answer stands on the one core of the handler that is to look.
const SETTLE: Duration = Duration::from_micros(500);

fn cancel(options: Options) {
    let serving = Serving::new();
    let _peer = Parts::default().service(&serving).start();
    let ward = Caller {
        blocking: WardClient::connect(serving.name.as_str()).expect("the peer serves"),
        later: block_on(WardAsyncClient::connect(serving.name.as_str())).expect("the peer serves"),
    };
    let rounds = if options.quick { 50 } else { 2_000 };
    let report = Report::new(options);
    let mut round = 0;
    let mut times = |once: &dyn Fn(&Caller, u64) -> f64| {
        let mut times: Vec<_> = (0..rounds)
            .map(|_| {
                round += 1;
                once(&ward, round)
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times
    };
    for (way, times) in [
        ("dropped_future", times(&Caller::drop_future)),
        ("cancel_token", times(&Caller::cancel_token)),
        ("deadline", times(&Caller::let_deadline_pass)),
    ] {
        report.goal(&format!("{way}_seen_by_look_p50"), percentile(&times, 0.5), "us", 100.0);
        report.figure(&format!("{way}_seen_by_look_p99"), percentile(&times, 0.99), "us");
    }
    let woken = times(&Caller::drop_future_of_task);
    report.figure("dropped_future_wakes_task_p50", percentile(&woken, 0.5), "us");
    report.figure("dropped_future_wakes_task_p99", percentile(&woken, 0.99), "us");
}

/// A caller that gives up.
struct Caller {
    blocking: WardClient,
    later: WardAsyncClient,
}

impl Caller {
    fn drop_future(&self, round: u64) -> f64 {
        self.give_up(round, self.later.look(round))
    }

    fn drop_future_of_task(&self, round: u64) -> f64 {
        self.give_up(round, self.later.wait(round))
    }

    /// Sends a call by its first poll, and drops it when its handler has begun.
    fn give_up<F: Future>(&self, round: u64, call: F) -> f64 {
        let given_up = {
            let mut call = pin!(call);
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "its handler stays");
            self.until_begun(round);
            now()
        };
        self.until_ended(round, given_up)
    }

    fn cancel_token(&self, round: u64) -> f64 {
        let token = CancelToken::new();
        let called = self.blocking.with(CallOptions::new().cancelled_by(&token));
        let given_up = thread::scope(|scope| {
            let call = scope.spawn(|| called.look(round));
            self.until_begun(round);
            let given_up = now();
            token.cancel();
            call.join().expect("a call does not panic").expect_err("it is cancelled");
            given_up
        });
        self.until_ended(round, given_up)
    }

    fn let_deadline_pass(&self, round: u64) -> f64 {
        loop {
            let given_up = now() + DEADLINE.as_nanos() as u64;
            let options = CallOptions::new().deadline(Instant::now() + DEADLINE);
            self.blocking.with(options).look(round).expect_err("its time is over");
            thread::sleep(SETTLE);
            // On a machine under load it may have been too late to begin.
            if self.blocking.begun().expect("an answer") == round {
                return self.until_ended(round, given_up);
            }
        }
    }

    fn until_begun(&self, round: u64) {
        while self.blocking.begun().expect("an answer") != round {}
        thread::sleep(SETTLE);
    }

    /// Microseconds from when the call was given up.
    fn until_ended(&self, round: u64, given_up: u64) -> f64 {
        thread::sleep(SETTLE);
        loop {
            let (ended, at) = self.blocking.ended().expect("an answer");
            if ended == round {
                // A deadline is seen by the thread that reads the clock first.
                return at.saturating_sub(given_up) as f64 / 1e3;
            }
        }
    }
}
