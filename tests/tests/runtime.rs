//! Futures of clients on any executor, and what happens to those that are not polled to their end.
//! Also handlers on a runtime of the user.

use std::future::{Future, poll_fn};
use std::mem::forget;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use witrpc::{CallError, Endpoint, InProcess, Mmf, Stream, WitServer, wit_service};
use witrpc_tests::basic::{BasicAsyncClient, bytes_of, checksum};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;

const MANY: u32 = 10_000;

/// An executor of the standard library only.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn with_lanes(transport: Transport, lanes: u32) -> Fixture {
    Fixture::with(transport, FixtureConfig { lanes: Some(lanes), ..FixtureConfig::default() })
}

/// Checks that all lanes of a client can be in use at once, so that none is lost.
fn assert_all_lanes_work(fixture: &Fixture, client: &BasicAsyncClient, lanes: u32, gate: u64) {
    let observer = fixture.async_client();
    let held = join_all((0..lanes).map(|token| client.hold_later(gate, token.into())));
    block_on(async {
        match select(held, pin!(observer.arrived(gate, lanes))).await {
            Either::Left((ended, _)) => panic!("the gate is closed: {ended:?}"),
            Either::Right((arrived, held)) => {
                arrived.unwrap();
                observer.open(gate).await.unwrap();
                let tokens: Vec<_> = (0..lanes).map(|token| Ok(token.into())).collect();
                assert_eq!(held.await, tokens);
            }
        }
    });
}

/// Polls once, so that a call is in flight or waits for that.
fn begin<T>(call: impl Future<Output = T> + Send + 'static) -> impl Future<Output = T> + Send {
    let mut call = Box::pin(call);
    assert!((&mut call).now_or_never().is_none(), "nothing is answered that soon");
    call
}

/// Returns a client for futures that are leaked, and so never return what they borrow. Its calls
/// have no time limit.
fn leaked_client(fixture: &Fixture) -> &'static BasicAsyncClient {
    let builder = BasicAsyncClient::builder(fixture.endpoint()).call_timeout(None);
    Box::leak(Box::new(block_on(builder.connect()).expect("the client connects")))
}

over_both_transports! {
    fn a_bare_block_on_is_enough(transport) {
        let fixture = Fixture::new(transport);
        block_on(async {
            let client = BasicAsyncClient::connect(fixture.endpoint()).await.unwrap();
            assert_eq!(client.add(1, 2).await, Ok(3));
            assert_eq!(client.lookup("word").await, Ok(Some("WORD".to_owned())));
            let bytes = bytes_of(3_000_000, 1);
            assert_eq!(client.digest(&bytes).await, Ok(checksum(&bytes)));
            assert_eq!(client.make(3_000_000, 1).await, Ok(bytes));
        });
    }

    fn ten_thousand_calls_share_sixty_four_lanes(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.async_client();
        let call = |n: u32| {
            let client = &client;
            async move {
                let n = i64::from(n);
                // Each has to be polled to go on, so a large number of them wait in the queue at any time.
                assert_eq!(client.divide_later(n, 1).await, Ok(n));
                n
            }
        };
        let answers: FuturesUnordered<_> = (0..MANY).map(call).collect();
        let sum = block_on(answers.fold(0, |sum, n| async move { sum + n }));
        assert_eq!(sum, i64::from(MANY) * i64::from(MANY - 1) / 2);
        assert_all_lanes_work(&fixture, &client, 64, 1);
    }

    fn tasks_of_a_runtime_with_threads_share_lanes(transport) {
        let fixture = Fixture::new(transport);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        let answers = runtime.block_on(async {
            let client = fixture.async_builder().connect().await.unwrap();
            let call = |n: u32| {
                let client = client.clone();
                tokio::spawn(async move { client.divide_later(n.into(), 1).await })
            };
            join_all((0..MANY).map(call)).await
        });
        for (n, answer) in (0..).zip(answers) {
            assert_eq!(answer.unwrap(), Ok(n));
        }
    }

    fn a_runtime_of_one_thread_goes_on_while_calls_wait(transport) {
        let fixture = Fixture::new(transport);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let client = BasicAsyncClient::connect(fixture.endpoint()).await.unwrap();
            let held = tokio::spawn({
                let client = client.clone();
                async move { client.hold_later(1, 7).await }
            });
            client.arrived(1, 1).await.unwrap();
            let late = tokio::time::timeout(Duration::from_millis(20), client.hold_later(1, 8));
            assert!(late.await.is_err(), "the timer goes off while the calls wait");
            client.open(1).await.unwrap();
            assert_eq!(held.await.unwrap(), Ok(7));
            assert_eq!(client.add(1, 2).await, Ok(3));
        });
    }

    fn futures_that_are_never_polled_take_nothing(transport) {
        let fixture = with_lanes(transport, 2);
        let client = fixture.async_client();
        let unpolled: Vec<_> = (0..1000).map(|token| client.hold_later(9, token)).collect();
        assert_all_lanes_work(&fixture, &client, 2, 1);
        assert_eq!(block_on(fixture.async_client().count()), Ok(0));
        drop(unpolled);
    }

    fn futures_dropped_while_they_wait_for_a_lane_pass_their_turn_on(transport) {
        let fixture = with_lanes(transport, 2);
        let client = leaked_client(&fixture);
        for round in 0..20 {
            let held: Vec<_> = (0..2).map(|token| begin(client.hold_later(round, token))).collect();
            let dropped: Vec<_> = (0..50).map(|n| begin(client.add(n, 0))).collect();
            let patient = begin(client.add(1, 2));
            // Half of them before there is a lane, half after.
            let after: Vec<_> = dropped.into_iter().step_by(2).collect();
            block_on(fixture.async_client().open(round)).unwrap();
            drop(after);
            assert_eq!(block_on(patient), Ok(3));
            assert_eq!(block_on(join_all(held)), [Ok(0), Ok(1)]);
        }
        assert_all_lanes_work(&fixture, client, 2, 100);
    }

    fn futures_leaked_while_they_wait_for_a_lane_block_no_other_call(transport) {
        let fixture = with_lanes(transport, 4);
        let client = leaked_client(&fixture);
        (0..4).for_each(|token| forget(begin(client.hold_later(1, token))));
        (0..60).for_each(|n| forget(begin(client.divide_later(n, 1))));
        // The last in the queue, behind all those that never come in their turn. It is polled only
        // when it is woken.
        let (asleep, falls_asleep) = mpsc::channel();
        let patient = thread::spawn(move || {
            let mut call = pin!(client.add(1, 2));
            block_on(poll_fn(|cx| {
                let polled = call.as_mut().poll(cx);
                asleep.send(()).expect("the test listens");
                polled
            }))
        });
        falls_asleep.recv().unwrap();
        block_on(fixture.async_client().open(1)).unwrap();
        assert_eq!(patient.join().unwrap(), Ok(3));
        assert_all_lanes_work(&fixture, client, 4, 2);
    }
}

/// With the server stopped, the shared memory is soon full.
#[test]
fn futures_leaked_while_they_wait_for_space_keep_no_lane() {
    let plan = FixtureConfig { lanes: Some(32), size: Some(64 << 10), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let client = leaked_client(&fixture);
    let bytes = bytes_of(4_000, 1).leak();
    fixture.server_process().pause();
    for _ in 0..32 {
        forget(begin(client.digest(bytes)));
    }
    fixture.server_process().resume();
    assert_eq!(block_on(client.digest(bytes)), Ok(checksum(bytes)));
    assert_all_lanes_work(&fixture, client, 32, 1);
}

/// Has methods that work only inside a runtime.
#[wit_service]
trait Naps {
    async fn nap(&self, millis: u64) -> u64;
    async fn nap_elsewhere(&self, millis: u64) -> u64;
    async fn fail(&self);
    fn add(&self, a: u64, b: u64) -> u64;
    fn ticks(&self, millis: u64) -> impl Stream<Item = u64>;
    async fn sum(&self, naps: impl Stream<Item = u64>) -> u64;
}

struct Sleeper;

impl Naps for Sleeper {
    async fn nap(&self, millis: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        millis
    }

    async fn nap_elsewhere(&self, millis: u64) -> u64 {
        tokio::spawn(async move { Sleeper.nap(millis).await }).await.expect("it does not panic")
    }

    async fn fail(&self) {
        tokio::task::yield_now().await;
        panic!("as this test wants it");
    }

    fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    fn ticks(&self, millis: u64) -> impl Stream<Item = u64> {
        stream::iter(0..).then(move |n| Sleeper.nap(millis).map(move |_| n))
    }

    async fn sum(&self, naps: impl Stream<Item = u64>) -> u64 {
        let naps = naps.then(|millis| Sleeper.nap(millis));
        naps.fold(0, |sum, nap| async move { sum + nap }).await
    }
}

fn places() -> [Endpoint; 2] {
    [InProcess::new().into(), Mmf::unguessable().into()]
}

#[test]
fn handlers_run_on_a_runtime_of_the_users() {
    for place in places() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let handle = runtime.handle().clone();
        let _server = WitServer::builder()
            .listen(place.clone())
            .service(NapsServer::new(Sleeper))
            .spawn_with(move |job| drop(handle.spawn(job)))
            .start()
            .unwrap();
        let client = NapsClient::connect(place.clone()).unwrap();
        assert_eq!(client.nap(1), Ok(1));
        assert_eq!(client.nap_elsewhere(1), Ok(1));
        assert_eq!(client.add(1, 2), Ok(3), "which needs no runtime");
        let ticks = client.ticks(1).unwrap().take(5).collect::<Result<Vec<_>, _>>();
        assert_eq!(ticks, Ok(vec![0, 1, 2, 3, 4]), "a stream is made there too");
        assert_eq!(client.sum((0..10).map(|n| n % 3)), Ok(9), "and one is taken");
        let failed = client.fail();
        assert!(matches!(failed, Err(CallError::Panicked { .. })), "{failed:?}");
        runtime.block_on(async {
            let client = NapsAsyncClient::connect(place).await.unwrap();
            let naps = join_all((0..500).map(|n| client.nap(n % 7))).await;
            assert_eq!(naps, (0..500).map(|n| Ok(n % 7)).collect::<Vec<_>>());
        });
        // A task on the runtime ends with it, and its caller gets an error.
        thread::scope(|scope| {
            let long = scope.spawn(|| client.nap(3_600_000));
            let wakes = NapsClient::clone(&client);
            assert_eq!(wakes.nap(1), Ok(1), "the long one has begun, or soon does");
            runtime.shutdown_background();
            let ended = long.join().unwrap();
            assert!(ended.is_err(), "{ended:?}");
        });
        assert_eq!(client.add(1, 2), Ok(3), "the server goes on");
    }
}
