//! Wakers of users that call into the client or the server that wakes them. A thread that wakes or
//! drops a waker must hold no lock that the waker needs, or these tests hang.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures_executor::block_on;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use witrpc::{CallError, Endpoint, InProcess, Mmf, Stream, WitServer, wit_service};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::streams::StreamsAsyncClient;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};

/// Enough items to fill what the server grants ahead: two batches of 64 KiB and a bit.
const MANY: u64 = 2 * (64 << 10) / 8 + 100;

/// A waker that begins a call, an upload and a stream, and gives them up, whenever it is woken and
/// when its last copy is dropped.
struct Calling {
    client: StreamsAsyncClient,
    polls: Thread,
    woken: Arc<AtomicUsize>,
}

fn begin_and_give_up<T>(call: impl Future<Output = T>) {
    let _ = pin!(call).poll(&mut Context::from_waker(Waker::noop()));
}

impl Calling {
    fn call(&self) {
        begin_and_give_up(self.client.running());
        begin_and_give_up(self.client.follow_later(stream::pending()));
        begin_and_give_up(self.client.endless_later());
    }
}

impl Wake for Calling {
    fn wake(self: Arc<Self>) {
        self.call();
        self.woken.fetch_add(1, SeqCst);
        self.polls.unpark();
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.call();
    }
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<u64, CallError>> + 'a>>;

/// Polls all, each time with new wakers, so that the former ones are dropped. Returns how often one
/// was woken.
fn complete(client: &StreamsAsyncClient, mut calls: Vec<Call<'_>>, expected: &[u64]) -> usize {
    let woken = Arc::<AtomicUsize>::default();
    let mut answers = vec![None; calls.len()];
    while answers.contains(&None) {
        for (call, answer) in calls.iter_mut().zip(&mut answers).filter(|(_, it)| it.is_none()) {
            let (client, woken) = (client.clone(), Arc::clone(&woken));
            let waker = Arc::new(Calling { client, polls: thread::current(), woken }).into();
            if let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
                *answer = Some(result);
            }
        }
        if answers.contains(&None) {
            thread::park();
        }
    }
    let answers: Result<Vec<_>, _> = answers.into_iter().flatten().collect();
    assert_eq!(answers.as_deref(), Ok(expected));
    woken.load(SeqCst)
}

/// Runs a job on the thread that wakes it, inside the wake.
struct Inline {
    job: Mutex<Option<Job>>,
    is_woken: AtomicBool,
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, SeqCst);
        while self.is_woken.load(SeqCst) {
            // Another thread runs it, and looks again.
            let Ok(mut job) = self.job.try_lock() else { return };
            let waker = Waker::from(Arc::clone(&self));
            while self.is_woken.swap(false, SeqCst)
                && let Some(running) = &mut *job
            {
                if running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *job = None;
                }
            }
        }
    }
}

#[wit_service]
trait Moves {
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64;
    fn count(&self, end: u64) -> impl Stream<Item = u64>;
}

struct Moving;

impl Moves for Moving {
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    fn count(&self, end: u64) -> impl Stream<Item = u64> {
        stream::iter(0..end)
    }
}

over_both_transports! {
    fn a_runtime_of_a_server_may_poll_a_job_where_that_is_woken(transport) {
        let _watchdog = Watchdog::new(PATIENCE);
        for lanes in [3, 64] {
            let endpoint: Endpoint = match transport {
                Transport::InProcess => InProcess::new().lanes(lanes).into(),
                _ => Mmf::unguessable().lanes(lanes).into(),
            };
            let server = WitServer::builder().listen(endpoint.clone());
            let server = server.service(MovesServer::new(Moving)).spawn_with(|job| {
                Arc::new(Inline { job: Mutex::new(Some(job)), is_woken: false.into() }).wake();
            });
            let server = server.start().unwrap();
            let client = block_on(MovesAsyncClient::connect(endpoint)).unwrap();
            let uploads = (0..8).map(|_| client.total(stream::iter(0..MANY)));
            let totals = block_on(join_all(uploads));
            assert_eq!(totals, [const { Ok(MANY * (MANY - 1) / 2) }; 8]);
            let counts = (0..4).map(|_| async { client.count(MANY).await.unwrap().count().await });
            assert_eq!(block_on(join_all(counts)), [MANY as usize; 4]);
            // Given up while its method waits.
            begin_and_give_up(client.total(stream::pending()));
            assert!(server.shutdown(PATIENCE), "no job is left");
        }
    }

    fn a_waker_of_an_upload_may_call_into_its_client(transport) {
        const UPLOADS: u64 = 8;
        for lanes in [3, 64] {
            let plan = FixtureConfig { lanes: Some(lanes), ..FixtureConfig::default() };
            let fixture = Fixture::with_streams(transport, plan);
            let later = fixture.streams_later();
            // They wait for lanes, for room, and for their answers.
            let upload = |_| Box::pin(later.follow_later(stream::iter(0..MANY))) as Call<'_>;
            let calls = (0..UPLOADS).map(upload).collect();
            let woken = complete(&later, calls, &[MANY; UPLOADS as usize]);
            assert!(woken > 0, "over {lanes} lanes");
            eventually_equal("how many calls are unanswered", &0, || fixture.metrics().in_flight);
        }
    }

    fn a_waker_of_a_stream_or_a_call_may_call_into_its_client(transport) {
        for lanes in [3, 64] {
            let plan = FixtureConfig { lanes: Some(lanes), ..FixtureConfig::default() };
            let fixture = Fixture::with_streams(transport, plan);
            let later = &fixture.streams_later();
            let count = async {
                let items = later.gated_later(vec![1, 2, 3]).await?;
                Ok(items.map(|item| item.map_or(0, |_| 1)).fold(0_u64, async |sum, it| sum + it).await)
            };
            let calls = vec![
                Box::pin(count) as Call<'_>,
                Box::pin(later.take_behind(4, MANY, stream::iter(0..MANY))),
                Box::pin(later.seen()),
            ];
            let opener = fixture.client();
            let opens = thread::spawn(move || {
                opener.arrived(4, 1).unwrap();
                (1..=4).for_each(|gate| opener.open(gate).unwrap());
            });
            let woken = complete(later, calls, &[3, MANY * (MANY - 1) / 2, 0]);
            opens.join().unwrap();
            assert!(woken > 0, "over {lanes} lanes");
        }
    }
}
