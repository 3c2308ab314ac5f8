//! Handlers whose clients are gone: which are dropped, and how many there may be.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;

use futures_executor::block_on;
use witrpc::{ConnectError, Endpoint, InProcess, LeftBehindLimit, Mmf, WitServer, wit_service};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

/// Methods that never answer.
#[wit_service]
pub trait Waiting {
    /// Is dropped with its client.
    #[wit(drop_on_disconnect)]
    async fn stay_with_client(&self) -> u64;
    /// Stays.
    async fn stay(&self) -> u64;
    /// Stays, with what it was given.
    async fn keep(&self, bytes: Vec<u8>) -> u64;
    /// Releases all that stay.
    fn release(&self);
}

#[derive(Default)]
struct Counts {
    with_client: AtomicU64,
    staying: AtomicU64,
    release: release::Release,
}

mod release {
    //! Wakes all waiters, once.

    use std::future::poll_fn;
    use std::sync::Mutex;
    use std::task::{Poll, Waker};

    #[derive(Default)]
    pub(super) struct Release(Mutex<(bool, Vec<Waker>)>);

    impl Release {
        pub(super) fn release(&self) {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            let wakers = std::mem::take(&mut state.1);
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        }

        pub(super) async fn wait(&self) {
            poll_fn(|cx| {
                let mut state = self.0.lock().unwrap();
                if state.0 {
                    return Poll::Ready(());
                }
                state.1.push(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}

/// Counts one more until it is dropped.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn up(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

struct Waiters(Arc<Counts>);

impl Waiting for Waiters {
    async fn stay_with_client(&self) -> u64 {
        let _counted = Counted::up(&self.0.with_client);
        pending().await
    }

    async fn stay(&self) -> u64 {
        let _counted = Counted::up(&self.0.staying);
        self.0.release.wait().await;
        1
    }

    async fn keep(&self, bytes: Vec<u8>) -> u64 {
        let _counted = Counted::up(&self.0.staying);
        self.0.release.wait().await;
        bytes.len() as u64
    }

    fn release(&self) {
        self.0.release.release();
    }
}

fn serve(place: &Endpoint) -> (WitServer, Arc<Counts>) {
    let counts = Arc::<Counts>::default();
    let service = WaitingServer::new(Waiters(Arc::clone(&counts)));
    let server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
    (server, counts)
}

fn poll_once<T>(call: impl Future<Output = T>) {
    let polled = pin!(call).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
}

fn only_marked_methods_are_dropped_with_their_client(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    let (_server, counts) = serve(&place);
    let observer = WaitingClient::connect(place.clone()).unwrap();
    let goes = block_on(WaitingAsyncClient::connect(place.clone())).unwrap();
    let stays = block_on(WaitingAsyncClient::connect(place)).unwrap();
    let [mut first, mut second] = [goes.stay_with_client(), stays.stay_with_client()].map(Box::pin);
    let mut third = Box::pin(goes.stay());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    assert!(third.as_mut().poll(&mut cx).is_pending());
    let running = || (counts.with_client.load(SeqCst), counts.staying.load(SeqCst));
    eventually_equal("the handlers that run", &(2, 1), running);
    goes.connection().disconnect();
    eventually_equal("the handlers that run", &(1, 1), running);
    observer.release().unwrap();
    eventually_equal("the handlers that run", &(1, 0), running);
    stays.connection().disconnect();
    eventually_equal("the handlers that run", &(0, 0), running);
}

/// The number that `docs/limits.md` gives.
const MOST: u64 = 16_384;

/// How many handlers one client leaves behind.
const LANES: u32 = 1_024;

fn at_the_limit_of_handlers_left_behind_no_client_is_let_in(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    let (_server, counts) = serve(&place);
    let observer = WaitingClient::connect(place.clone()).unwrap();
    for _ in 0..MOST / u64::from(LANES) {
        let client = block_on(WaitingAsyncClient::connect(place.clone())).unwrap();
        let before = counts.staying.load(SeqCst);
        (0..LANES).for_each(|_| {
            poll_once(client.stay());
        });
        let all = before + u64::from(LANES);
        eventually_equal("the handlers that run", &all, || counts.staying.load(SeqCst));
        client.connection().disconnect();
    }
    let refused = WaitingClient::connect(place.clone()).unwrap_err();
    let limit = LeftBehindLimit::AsyncHandlers;
    assert!(
        matches!(refused, ConnectError::TooManyLeftBehind { limit: of, max: MOST } if of == limit),
        "{refused}"
    );
    assert!(refused.is_retryable());
    observer.release().unwrap();
    eventually("clients are let in again", || WaitingClient::connect(place.clone()).is_ok());
}

/// The number of bytes that `docs/threat-model.md` gives.
const MOST_BYTES: u64 = 256 << 20;

/// How many clients leave the last of them behind.
const HOLDERS: u64 = 5;

fn at_the_limit_of_bytes_left_behind_no_client_is_let_in(place: Endpoint) {
    let _watchdog = Watchdog::new(PATIENCE);
    let (_server, counts) = serve(&place);
    let observer = WaitingClient::connect(place.clone()).unwrap();
    for held in 1..=HOLDERS {
        let client = WaitingClient::connect(place.clone()).expect("less is held than may be");
        thread::scope(|scope| {
            let kept = vec![7; (MOST_BYTES / HOLDERS) as usize + 1];
            let keeping = scope.spawn(|| client.keep(kept));
            eventually_equal("the handlers that run", &held, || counts.staying.load(SeqCst));
            client.connection().disconnect();
            assert!(keeping.join().unwrap().is_err());
        });
    }
    let refused = WaitingClient::connect(place.clone()).unwrap_err();
    let limit = LeftBehindLimit::RequestBytes;
    assert!(
        matches!(refused, ConnectError::TooManyLeftBehind { limit: of, max: MOST_BYTES } if of == limit),
        "{refused}"
    );
    observer.release().unwrap();
    eventually("clients are let in again", || WaitingClient::connect(place.clone()).is_ok());
}

mod in_process {
    use super::*;

    #[test]
    fn at_the_limit_of_bytes_left_behind_no_client_is_let_in() {
        super::at_the_limit_of_bytes_left_behind_no_client_is_let_in(InProcess::new().into());
    }

    #[test]
    fn only_marked_methods_are_dropped_with_their_client() {
        super::only_marked_methods_are_dropped_with_their_client(InProcess::new().into());
    }

    #[test]
    fn at_the_limit_of_handlers_left_behind_no_client_is_let_in() {
        let place = InProcess::new().lanes(LANES);
        super::at_the_limit_of_handlers_left_behind_no_client_is_let_in(place.into());
    }
}

mod mmf {
    use super::*;

    #[test]
    fn at_the_limit_of_bytes_left_behind_no_client_is_let_in() {
        super::at_the_limit_of_bytes_left_behind_no_client_is_let_in(Mmf::unguessable().into());
    }

    #[test]
    fn only_marked_methods_are_dropped_with_their_client() {
        super::only_marked_methods_are_dropped_with_their_client(Mmf::unguessable().into());
    }

    #[test]
    fn at_the_limit_of_handlers_left_behind_no_client_is_let_in() {
        let place = Mmf::unguessable().lanes(LANES);
        super::at_the_limit_of_handlers_left_behind_no_client_is_let_in(place.into());
    }
}
