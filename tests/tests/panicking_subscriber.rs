//! A subscriber of spans that panics at each of its methods: calls are answered all the same, and once.
//! Runs with `--features tracing`.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};

use futures_executor::block_on;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use witrpc::{CallError, Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

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
}

fn calls(client: &WatchedClient, later: &WatchedAsyncClient) {
    for n in 0..10 {
        assert_eq!(client.add(n, 1), Ok(n + 1));
        assert_eq!(client.refuse(), Err(CallError::App("no".to_owned())));
        let exploded = client.explode().unwrap_err();
        assert!(
            matches!(&exploded, CallError::Panicked { message } if message.contains("the handler"))
        );
        assert_eq!(block_on(later.add_later(n, 1)), Ok(n + 1));
    }
}

/// One test, as a subscriber is one for the whole process.
#[test]
fn a_subscriber_that_panics_changes_no_answer() {
    let _watchdog = Watchdog::new(PATIENCE);
    tracing::subscriber::set_global_default(Bad).expect("it is the first");
    let endpoints: [Endpoint; 2] = [InProcess::new().into(), Mmf::unguessable().into()];
    for endpoint in endpoints {
        let server = WitServer::builder().listen(endpoint.clone());
        let server = server.service(WatchedServer::new(Sum)).start().unwrap();
        let client = WatchedClient::connect(endpoint.clone()).unwrap();
        let later = block_on(WatchedAsyncClient::connect(endpoint)).unwrap();
        for method in [ENABLED, NEW_SPAN, RECORD, ENTER, EXIT, CLONE, CLOSE] {
            let before = PANICS.load(SeqCst);
            PANICS_AT.store(method, SeqCst);
            calls(&client, &later);
            PANICS_AT.store(0, SeqCst);
            assert!(PANICS.load(SeqCst) > before, "{method} was never reached");
        }
        drop((client, later));
        assert!(server.shutdown(PATIENCE), "all threads are there");
    }
}
