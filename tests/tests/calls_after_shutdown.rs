//! Calls that a server which shuts down gracefully does not answer: they were not taken, and their
//! client knows that.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use witrpc::{
    Backoff, CallError, ConnectionState, DisconnectReason, Endpoint, InProcess, Mmf, Reconnect,
    WitServer, wit_service,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// Counts the calls that run.
#[wit_service]
pub trait Till {
    /// Gives its argument back.
    fn take(&self, n: u64) -> u64;
    /// Does the same, and is async.
    async fn take_later(&self, n: u64) -> u64;
}

struct Counting(Arc<AtomicU64>);

impl Till for Counting {
    fn take(&self, n: u64) -> u64 {
        self.0.fetch_add(1, Relaxed);
        n
    }

    async fn take_later(&self, n: u64) -> u64 {
        self.0.fetch_add(1, Relaxed);
        n
    }
}

fn serve(place: &Endpoint, ran: &Arc<AtomicU64>) -> WitServer {
    let service = TillServer::new(Counting(Arc::clone(ran)));
    WitServer::builder().listen(place.clone()).service(service).start().unwrap()
}

fn a_call_that_follows_a_shutdown_is_made_again(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    let ran = Arc::new(AtomicU64::new(0));
    let mut server = serve(&place, &ran);
    let soon = Backoff::new(Duration::from_millis(1), Duration::from_millis(20));
    let reconnect = Reconnect::new().after_shutdown(true).backoff(soon);
    let client = TillClient::builder(place.clone()).reconnect(reconnect).connect().unwrap();
    for n in 0..40 {
        assert!(server.shutdown(PATIENCE));
        drop(server);
        server = serve(&place, &ran);
        assert_eq!(client.take(n), Ok(n));
        assert_eq!(ran.swap(0, Relaxed), 1);
    }
}

fn a_call_that_follows_a_shutdown_says_that_it_did_not_run(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    let ran = Arc::new(AtomicU64::new(0));
    for n in 0..20 {
        let server = serve(&place, &ran);
        let client = TillClient::connect(place.clone()).unwrap();
        assert!(server.shutdown(PATIENCE));
        // The first call may be sent before the client knows of the end; the second is not.
        for _ in 0..2 {
            let error = client.take(n).unwrap_err();
            assert!(!error.maybe_executed() && error.is_retryable(), "{n}: {error:?}");
            while client.connection().is_connected() {
                thread::yield_now();
            }
        }
        let reason = DisconnectReason::ServerShutDown;
        assert_eq!(client.connection().state(), ConnectionState::Disconnected(reason));
    }
    assert_eq!(ran.load(Relaxed), 0);
}

/// Calls until the server does not take a call. Returns how many calls it has answered.
fn answered_by_the_end(mut call: impl FnMut(u64) -> Result<u64, CallError>) -> u64 {
    for n in 0.. {
        match call(n) {
            Ok(answer) => assert_eq!(answer, n),
            Err(error) => {
                assert!(!error.maybe_executed() && error.is_retryable(), "{n}: {error:?}");
                return n;
            }
        }
    }
    unreachable!("it shuts down")
}

fn poll_until_ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
        thread::yield_now();
    }
}

fn calls_that_cross_a_shutdown_are_answered_or_did_not_run(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    for _ in 0..20 {
        let ran = Arc::new(AtomicU64::new(0));
        let server = serve(&place, &ran);
        let blocking = TillClient::connect(place.clone()).unwrap();
        let polled = futures_executor::block_on(TillAsyncClient::connect(place.clone())).unwrap();
        let answered: u64 = thread::scope(|scope| {
            let callers = [
                scope.spawn(|| answered_by_the_end(|n| blocking.take(n))),
                scope.spawn(|| answered_by_the_end(|n| blocking.take_later(n))),
                scope.spawn(|| answered_by_the_end(|n| poll_until_ready(polled.take_later(n)))),
            ];
            while ran.load(Relaxed) < 100 {
                thread::yield_now();
            }
            assert!(server.shutdown(PATIENCE));
            callers.map(|caller| caller.join().unwrap()).into_iter().sum()
        });
        assert_eq!(answered, ran.load(Relaxed));
    }
}

macro_rules! over_both {
    ($($name:ident)*) => {
        mod mmf {
            $(#[test] fn $name() { super::$name(super::Mmf::unguessable().into()) })*
        }
        mod in_process {
            $(#[test] fn $name() { super::$name(super::InProcess::new().into()) })*
        }
    };
}

over_both! {
    a_call_that_follows_a_shutdown_is_made_again
    a_call_that_follows_a_shutdown_says_that_it_did_not_run
    calls_that_cross_a_shutdown_are_answered_or_did_not_run
}
