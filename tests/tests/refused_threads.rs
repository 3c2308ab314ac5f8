//! The machine has no more threads: a call that needs one is refused, and others go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

use futures_executor::block_on;
use futures_util::{FutureExt, stream};
use witrpc::{CallError, Endpoint, InProcess, Mmf, Stream, WitServer, wit_service};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, ServerCommand, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Role, Without};
use witrpc_tests::streams::{Fed, feed};
use witrpc_tests::watchdog::{PATIENCE, eventually, eventually_equal};

#[test]
fn a_server_without_threads_refuses_an_upload_that_needs_one_and_serves_all_others() {
    let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
    let (client, later, other) = (fixture.streams(), fixture.streams_later(), fixture.streams());
    assert_eq!(client.sum(0..10), Ok(45), "there is a thread at first");
    fixture.tell(ServerCommand::RefuseThreads);
    for _ in 0..20 {
        let refused =
            [client.sum(0..10), client.sum(0..), block_on(later.sum(stream::iter(0..10)))];
        for refused in refused {
            let error = refused.expect_err("there is no thread for it");
            assert!(matches!(error, CallError::ServerNoThread { .. }), "{error:?}");
            assert!(error.is_retryable() && !error.maybe_executed());
        }
        assert_eq!(other.running(), Ok(0), "others are served");
    }
    assert_eq!(other.fed(), Ok(Fed { whole: 1, broken: 0 }), "none of them was begun");
    eventually_equal("how many calls are unanswered", &0, || fixture.metrics().in_flight);
}

/// How many methods with uploads of one client have a thread.
const FED_THREADS: u64 = 8;

#[test]
fn uploads_that_wait_for_a_thread_run_on_those_that_are_there() {
    const WAITING: u64 = 3;
    let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
    let (client, open) = (&fixture.streams(), &AtomicU64::new(0));
    thread::scope(|scope| {
        let mut busy: Vec<_> = (0..FED_THREADS).map(|_| feed(scope, client)).collect();
        busy.iter().for_each(|(items, _)| items.send(1).unwrap());
        eventually_equal("how many have a thread", &Ok(FED_THREADS), || client.seen());
        let sum = |_| {
            let items = (0..10).inspect(|number| _ = open.fetch_add((*number == 0).into(), SeqCst));
            scope.spawn(move || client.sum(items))
        };
        let waiting: Vec<_> = (0..WAITING).map(sum).collect();
        eventually_equal("how many wait for a thread", &WAITING, || open.load(SeqCst));
        fixture.tell(ServerCommand::RefuseThreads);
        let (items, call) = busy.pop().unwrap();
        drop(items);
        assert_eq!(call.join().unwrap(), Ok(1));
        for call in waiting {
            assert_eq!(call.join().unwrap(), Ok(45));
        }
        // The thread that ran them has ended, and is not replaced.
        let refused = || matches!(client.sum(0..10), Err(CallError::ServerNoThread { .. }));
        eventually("no thread is left for another", refused);
        busy.into_iter().for_each(|(items, call)| {
            drop(items);
            assert_eq!(call.join().unwrap(), Ok(1));
        });
    });
}

#[test]
fn uploads_that_come_while_threads_are_refused_all_end() {
    const AT_ONCE: usize = 16;
    let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
    let client = &fixture.streams();
    thread::scope(|scope| {
        // One place is left: an upload that arrives while a thread is tried for it waits for that.
        let (items, busy): (Vec<_>, Vec<_>) = (1..FED_THREADS).map(|_| feed(scope, client)).unzip();
        items.iter().for_each(|items| items.send(1).unwrap());
        eventually_equal("how many have a thread", &Ok(FED_THREADS - 1), || client.seen());
        fixture.tell(ServerCommand::RefuseThreads);
        let uploads: Vec<_> = (0..AT_ONCE)
            .map(|_| scope.spawn(move || (0..20).map(|_| client.sum(0..10)).collect::<Vec<_>>()))
            .collect();
        for ended in uploads.into_iter().flat_map(|upload| upload.join().unwrap()) {
            let error = ended.expect_err("all threads are taken, and there are no more");
            assert!(matches!(error, CallError::ServerNoThread { .. }), "{error:?}");
        }
        drop(items);
        busy.into_iter().for_each(|call| assert_eq!(call.join().unwrap(), Ok(1)));
    });
    assert_eq!(client.fed(), Ok(Fed { whole: FED_THREADS - 1, broken: 0 }));
}

#[wit_service]
trait Taker {
    async fn take(&self, numbers: impl Stream<Item = u64>) -> u64;
    fn ping(&self) -> bool;
}

struct Idle;

impl Taker for Idle {
    async fn take(&self, _numbers: impl Stream<Item = u64>) -> u64 {
        0
    }

    fn ping(&self) -> bool {
        true
    }
}

/// With three lanes, the client requests its answer only after a notice that there is one.
fn a_shutdown_waits_until_a_refused_upload_is_told(endpoint: &Endpoint) {
    let builder = WitServer::builder().listen(endpoint.clone()).service(TakerServer::new(Idle));
    // A runtime that takes no job.
    let server = builder.spawn_with(drop).start().expect("the server starts");
    let client = TakerClient::connect(endpoint.clone()).expect("the client connects");
    let later = block_on(TakerAsyncClient::connect(endpoint.clone())).expect("another connects");
    let is_open = AtomicBool::new(false);
    let items = stream::poll_fn(|_| {
        is_open.store(true, SeqCst);
        Poll::<Option<u64>>::Pending
    });
    let mut upload = Box::pin(later.take(items));
    eventually("it is open", || {
        assert_eq!(upload.as_mut().now_or_never(), None);
        is_open.load(SeqCst)
    });
    let handle = server.handle();
    thread::scope(|scope| {
        let shutdown = scope.spawn(|| handle.shutdown(PATIENCE));
        eventually("new calls are turned away", || client.ping().is_err());
        let error = block_on(upload).expect_err("its job was dropped");
        assert_eq!(error, CallError::ShuttingDown);
        assert!(error.is_retryable() && !error.maybe_executed());
        assert!(shutdown.join().expect("a shutdown does not panic"));
    });
}

#[test]
fn a_shutdown_waits_until_a_refused_upload_is_told_over_shared_memory() {
    a_shutdown_waits_until_a_refused_upload_is_told(&Mmf::unguessable().lanes(3).into());
}

#[test]
fn a_shutdown_waits_until_a_refused_upload_is_told_within_a_process() {
    a_shutdown_waits_until_a_refused_upload_is_told(&InProcess::new().lanes(3).into());
}

fn within_the_process() -> Address {
    Address::InProcess { name: Mmf::unguessable().name().to_owned() }
}

fn one_process_without_threads(address: Address) {
    let child = Child::start(&Role::Threadless { address });
    let without: Without = child.hear();
    let all_well = Without {
        client_refused: true,
        server_refused: true,
        needs_none: true,
        bystander: true,
        begun: 0,
    };
    assert_eq!(without, all_well);
}

#[test]
fn a_process_without_threads_refuses_what_needs_one_over_shared_memory() {
    one_process_without_threads(Address::unguessable());
}

#[test]
fn a_process_without_threads_refuses_what_needs_one_within_itself() {
    one_process_without_threads(within_the_process());
}

fn drops_without_threads(within: bool) {
    const SERVERS: usize = 32;
    let child = Child::start(&Role::DropThreadless { within, servers: SERVERS });
    let threads: Vec<Option<String>> = child.hear();
    assert_eq!(threads.len(), SERVERS);
    for thread in threads {
        let thread = thread.expect("it has a name");
        assert!(thread.starts_with("witrpc-srv-"), "{thread}");
    }
}

#[test]
fn a_server_dropped_without_threads_has_hooks_told_by_its_own_over_shared_memory() {
    drops_without_threads(false);
}

#[test]
fn a_server_dropped_without_threads_has_hooks_told_by_its_own_within_a_process() {
    drops_without_threads(true);
}
