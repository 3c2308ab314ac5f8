//! A subscriber of spans that panics in each of its methods: calls are answered nevertheless, and
//! once. It runs with `--features tracing`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use witrpc::{
    CallError, Endpoint, InProcess, Mmf, ServedCall, ServedEnd, ServerHook, Stream, WitServer,
    wit_service,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};

/// Which method of the subscriber panics; 0 for none.
static PANICS_AT: AtomicU8 = AtomicU8::new(0);
static PANICS: AtomicUsize = AtomicUsize::new(0);

const ENABLED: u8 = 1;
const NEW_SPAN: u8 = 2;
const RECORD: u8 = 3;
const ENTER: u8 = 4;
const EXIT: u8 = 5;
const CLONE: u8 = 6;
const CLOSE: u8 = 7;

struct Bad;

fn at(method: u8) {
    if PANICS_AT.load(SeqCst) == method {
        PANICS.fetch_add(1, SeqCst);
        panic!("the subscriber panics");
    }
}

impl Subscriber for Bad {
    fn register_callsite(&self, _: &Metadata<'_>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        at(ENABLED);
        metadata.target() == "witrpc"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        at(NEW_SPAN);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        at(RECORD);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        at(ENTER);
    }

    fn exit(&self, _: &Id) {
        at(EXIT);
    }

    fn clone_span(&self, id: &Id) -> Id {
        at(CLONE);
        id.clone()
    }

    fn try_close(&self, _: Id) -> bool {
        at(CLOSE);
        true
    }
}

#[wit_service]
trait Watched {
    fn add(&self, a: u64, b: u64) -> u64;
    fn refuse(&self) -> Result<(), String>;
    fn explode(&self);
    async fn add_later(&self, a: u64, b: u64) -> u64;
    fn count(&self, end: u64) -> impl Iterator<Item = u64>;
    fn total(&self, numbers: impl Iterator<Item = u64>) -> u64;
    async fn total_later(&self, numbers: impl Stream<Item = u64>) -> u64;
}

struct Sum;

impl Watched for Sum {
    fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    fn refuse(&self) -> Result<(), String> {
        Err("no".to_owned())
    }

    fn explode(&self) {
        panic!("the handler panics");
    }

    async fn add_later(&self, a: u64, b: u64) -> u64 {
        let mut polled = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut polled, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        a + b
    }

    fn count(&self, end: u64) -> impl Iterator<Item = u64> {
        0..end
    }

    fn total(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    async fn total_later(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let mut numbers = std::pin::pin!(numbers);
        let mut total = 0;
        while let Some(number) = numbers.next().await {
            total += number;
        }
        total
    }
}

/// How often each call of each client has been answered.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<BTreeMap<(u64, u64), usize>>>);

impl Answers {
    /// Checks that this many calls have been answered, each of them once.
    fn are_of(&self, calls: usize) {
        let once = || {
            let answers = self.0.lock().unwrap();
            (answers.len(), answers.values().filter(|times| **times == 1).count())
        };
        eventually_equal("the calls that were answered, and once", &(calls, calls), once);
    }
}

impl ServerHook for Answers {
    fn after(&self, call: &ServedCall<'_>, _: ServedEnd, _: usize) {
        let number = (call.client().id, call.call_id());
        *self.0.lock().unwrap().entry(number).or_default() += 1;
    }
}

/// Makes calls over a single lane, where a second answer to one call would be taken for that of the
/// next.
fn plain_calls(client: &WatchedClient, later: &WatchedAsyncClient) -> usize {
    const TIMES: u64 = 10;
    for n in 0..TIMES {
        assert_eq!(client.add(n, 1), Ok(n + 1));
        assert_eq!(client.refuse(), Err(CallError::App("no".to_owned())));
        let exploded = client.explode().unwrap_err();
        assert!(
            matches!(&exploded, CallError::Panicked { message } if message.contains("the handler"))
        );
        assert_eq!(block_on(later.add_later(n, 1)), Ok(n + 1));
    }
    4 * TIMES as usize
}

fn calls_with_streams(client: &WatchedClient, later: &WatchedAsyncClient) -> usize {
    const TIMES: u64 = 3;
    for n in 0..TIMES {
        let items: Result<Vec<_>, _> = client.count(n).unwrap().collect();
        assert_eq!(items, Ok((0..n).collect()));
        assert_eq!(client.total(0..n), Ok((0..n).sum()));
        assert_eq!(block_on(later.total(stream::iter(0..n))), Ok((0..n).sum()));
        assert_eq!(block_on(later.total_later(stream::iter(0..n))), Ok((0..n).sum()));
    }
    4 * TIMES as usize
}

/// Makes each method of the subscriber panic while calls are made. `calls` returns how many there
/// were.
fn serve(endpoint: Endpoint, calls: fn(&WatchedClient, &WatchedAsyncClient) -> usize) {
    let answers = Answers::default();
    let server = WitServer::builder().listen(endpoint.clone()).hook(answers.clone());
    let server = server.service(WatchedServer::new(Sum)).start().unwrap();
    let client = WatchedClient::connect(endpoint.clone()).unwrap();
    let later = block_on(WatchedAsyncClient::connect(endpoint)).unwrap();
    let mut made = 0;
    for method in [ENABLED, NEW_SPAN, RECORD, ENTER, EXIT, CLONE, CLOSE] {
        let before = PANICS.load(SeqCst);
        PANICS_AT.store(method, SeqCst);
        made += calls(&client, &later);
        PANICS_AT.store(0, SeqCst);
        assert!(PANICS.load(SeqCst) > before, "{method} was never reached");
    }
    answers.are_of(made);
    assert_eq!(server.metrics().calls, made as u64);
    eventually_equal("how many calls are unanswered", &0, || server.metrics().in_flight);
    drop((client, later));
    assert!(server.shutdown(PATIENCE), "all threads are there");
    answers.are_of(made);
}

/// This is one test, because a subscriber is global.
#[test]
fn a_subscriber_that_panics_changes_no_answer() {
    let _watchdog = Watchdog::new(PATIENCE);
    tracing::subscriber::set_global_default(Bad).expect("it is the first");
    for endpoint in [InProcess::new().lanes(1).into(), Mmf::unguessable().lanes(1).into()] {
        serve(endpoint, plain_calls);
    }
    for endpoint in [InProcess::new().into(), Mmf::unguessable().into()] {
        serve(endpoint, calls_with_streams);
    }
}
