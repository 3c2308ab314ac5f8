//! Calls that wait for a lane, and the calls whose lanes they get.

use std::future::Future;
use std::mem::forget;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, TryLockError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::join_all;
use witrpc::{CallError, Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::basic::Gates;
use witrpc_tests::fixture::{Fixture, FixtureConfig};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{Watchdog, eventually};

/// How long a whole test may take.
const TEST_TIME: Duration = Duration::from_secs(120);

type Call = Pin<Box<dyn Future<Output = Result<u64, CallError>> + Send>>;

/// A waker that counts, and may block the thread that wakes it.
#[derive(Default)]
struct Counting {
    wakes: AtomicUsize,
    blocker: Mutex<Option<Blocker>>,
}

/// Reports that the wake has begun, and waits until it may return.
struct Blocker {
    begun: mpsc::Sender<()>,
    released: mpsc::Receiver<()>,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
        let blocker = self.blocker.lock().unwrap().take();
        if let Some(Blocker { begun, released }) = blocker {
            begun.send(()).expect("the test listens");
            // The test may also have failed.
            let _ = released.recv();
        }
    }
}

impl Counting {
    /// Polls a call until it waits for a wake-up that does not come from the poll itself.
    fn poll_to_sleep(self: &Arc<Self>, call: &mut Call) {
        let waker = Waker::from(Arc::clone(self));
        loop {
            let before = self.wakes.load(SeqCst);
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            if self.wakes.load(SeqCst) == before {
                return;
            }
        }
    }
}

/// An executor of one call, which the thread that wakes it polls at once.
struct Inline {
    call: Mutex<Option<Call>>,
    is_woken: AtomicBool,
}

impl Inline {
    fn start(call: Call) -> Arc<Self> {
        let inline =
            Arc::new(Self { call: Mutex::new(Some(call)), is_woken: AtomicBool::new(true) });
        inline.poll();
        inline
    }

    fn poll(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        while self.is_woken.load(SeqCst) {
            // A thread that polls it now looks again.
            let mut call = match self.call.try_lock() {
                Ok(call) => call,
                Err(TryLockError::WouldBlock) => return,
                Err(TryLockError::Poisoned(_)) => panic!("a poll has panicked"),
            };
            while self.is_woken.swap(false, SeqCst) {
                let Some(pending) = &mut *call else { break };
                let polled = pending.as_mut().poll(&mut Context::from_waker(&waker));
                if let Poll::Ready(ended) = polled {
                    assert!(ended.is_ok(), "{ended:?}");
                    *call = None;
                }
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.call.lock().unwrap().is_none()
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, SeqCst);
        self.poll();
    }
}

over_both_transports! {
    // Two calls are answered while the thread that wakes sleepers is held up, so a third call moves the
    // answers off their lanes. Two calls that wait for these lanes are polled as soon as they are woken,
    // and go to sleep on them.
    fn a_call_is_woken_whose_lane_has_gone_to_another(transport) {
        let _watchdog = Watchdog::new(TEST_TIME);
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(2), ..FixtureConfig::default() });
        let (client, helper) = (fixture.async_client(), fixture.async_client());
        let hold = |gate, token| {
            let client = client.clone();
            Box::pin(async move { client.hold_later(gate, token).await }) as Call
        };
        let (mut first, mut second) = (hold(1, 1), hold(2, 2));
        let [first_waker, second_waker] = [Arc::new(Counting::default()), Arc::default()];
        first_waker.poll_to_sleep(&mut first);
        second_waker.poll_to_sleep(&mut second);
        let wakes_before = second_waker.wakes.load(SeqCst);
        let queued = [Inline::start(hold(3, 3)), Inline::start(hold(3, 4))];

        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        *first_waker.blocker.lock().unwrap() = Some(Blocker { begun, released });
        block_on(helper.open(1)).unwrap();
        has_begun.recv().unwrap();
        block_on(helper.open(2)).unwrap();
        let mut last = hold(3, 5);
        let mut arrived = Box::pin(helper.arrived(3, 2));
        while (&mut arrived).now_or_never().is_none() {
            assert!((&mut last).now_or_never().is_none(), "two wait before it");
            thread::yield_now();
        }
        drop(release);
        let is_woken = || second_waker.wakes.load(SeqCst) > wakes_before;
        eventually("the second call is woken", is_woken);
        assert_eq!(block_on(first), Ok(1));
        assert_eq!(block_on(second), Ok(2));
        block_on(helper.open(3)).unwrap();
        assert_eq!(block_on(last), Ok(5));
        for call in queued {
            eventually("a call ends that waited for a lane", || call.has_ended());
        }
    }

    fn tasks_that_outnumber_the_lanes_all_end(transport) {
        const TASKS: i64 = 24;
        const CALLS: i64 = 100;
        let _watchdog = Watchdog::new(TEST_TIME);
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(4), ..FixtureConfig::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let client = fixture.async_client();
        let task = |task: i64| {
            let client = client.clone();
            async move {
                for n in 0..CALLS {
                    match (task + n) % 32 {
                        // Given up: sent, or while it waits for a lane.
                        0 => drop(begin_adding(&client, n).await),
                        // Never polled again, nor dropped.
                        1 if n % 5 == 0 => forget(begin_adding(&client, n).await),
                        _ => assert_eq!(client.add(task, n).await, Ok(task + n)),
                    }
                }
            }
        };
        let tasks: Vec<_> = (0..TASKS).map(|n| runtime.spawn(task(n))).collect();
        for ended in block_on(join_all(tasks)) {
            ended.unwrap();
        }
    }
}

/// Polls a call once, in the task that runs this.
async fn begin_adding(client: &witrpc_tests::basic::BasicAsyncClient, n: i64) -> impl Send {
    let client = client.clone();
    let mut call = Box::pin(async move { client.add(n, n).await });
    std::future::poll_fn(|cx| {
        let _ = call.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
    call
}

/// Records the order in which its calls are served.
#[wit_service]
trait Recorder {
    async fn hold(&self);
    fn note(&self, number: u32);
}

#[derive(Default)]
struct Notes {
    gates: Gates,
    order: Mutex<Vec<u32>>,
}

impl Recorder for Arc<Notes> {
    async fn hold(&self) {
        self.gates.wait_at(1).await;
    }

    fn note(&self, number: u32) {
        self.order.lock().unwrap().push(number);
    }
}

fn places() -> [Endpoint; 2] {
    [InProcess::new().lanes(1).into(), Mmf::unguessable().lanes(1).into()]
}

/// A new call finds the lane free, since the calls that wait have not been polled yet. There are
/// too many waiting calls for all to have been passed over by then.
#[test]
fn calls_that_wait_for_a_lane_are_served_in_their_order() {
    const WAITING: u32 = 300;
    let _watchdog = Watchdog::new(TEST_TIME);
    for place in places() {
        let notes = Arc::new(Notes::default());
        let service = RecorderServer::new(Arc::clone(&notes));
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        let client = block_on(RecorderAsyncClient::connect(place)).unwrap();
        let mut held = Box::pin(client.hold());
        assert!((&mut held).now_or_never().is_none(), "the gate is closed");
        let mut waiting: Vec<_> =
            (0..WAITING).map(|number| Box::pin(client.note(number))).collect();
        for call in &mut waiting {
            assert!(call.now_or_never().is_none(), "the lane is taken");
        }
        notes.gates.open(1);
        assert_eq!(block_on(held), Ok(()));
        let mut newcomer = Box::pin(client.note(WAITING));
        let begun = (&mut newcomer).now_or_never();
        assert!(begun.is_none(), "there is one lane, and others wait for it: {begun:?}");
        waiting.push(newcomer);
        assert!(block_on(join_all(waiting)).iter().all(Result::is_ok));
        assert!(notes.order.lock().unwrap().iter().copied().eq(0..=WAITING));
    }
}
