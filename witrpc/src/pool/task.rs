//! Handlers that wait: an `async fn` handler until it has answered.
//!
//! A task is polled by the threads of the pool, as busy work of the holder of the role. Its waker queues it
//! again, and rings if no thread looks.
//!
//! # Invariants
//!
//! 1. A task is in the queue at most once, and not while it is polled. [`Schedule`] has four states, and only
//!    the change from idle to queued puts it there. So a thread that takes it out never waits for another one
//!    that polls it.
//! 2. A task that was woken while it was polled is queued again by the thread that polled it.
//! 3. When the server ends, all tasks that wait are dropped, each by one of two threads: see
//!    [`task_end`](super::task_end).

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::{Arc, Mutex, TryLockError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use witrpc_rt::lock;

use crate::rt::panics::catch;

use super::jobs::{Enlisted, WaitingTask};
use super::seats::Tenant;
use super::stage::ServerStage;
use super::task_end::{is_to_end, take_behind_stop};
use crate::rt::primitive::{Primitives, Std, Word};

/// The rest of a call, up to its answer.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

const IDLE: u64 = 0;
const QUEUED: u64 = 1;
const POLLED: u64 = 2;
const POLLED_AND_WOKEN: u64 = 3;

/// The state of a task.
pub struct Schedule<P: Primitives> {
    state: P::Word,
}

impl<P: Primitives> Schedule<P> {
    /// Returns the state of a task that is about to be polled for the first time.
    pub fn polled() -> Self {
        Self { state: P::Word::new(POLLED) }
    }

    /// Wakes the task. Returns `true` if the caller must queue it.
    #[must_use]
    pub fn wake(&self) -> bool {
        let mut seen = self.state.load(Acquire);
        loop {
            let (next, queue) = match seen {
                IDLE => (QUEUED, true),
                POLLED => (POLLED_AND_WOKEN, false),
                // The thread that polls it next will swap this word, and so acquires this wake. The exchange
                // changes nothing, but it releases what the waker wrote.
                same => (same, false),
            };
            match self.state.compare_exchange(seen, next) {
                Ok(_) => return queue,
                Err(now) => seen = now,
            }
        }
    }

    /// Notes that the task was taken out of the queue and is polled next.
    pub fn start(&self) {
        self.state.swap(POLLED, AcqRel);
    }

    /// Notes that the task was polled and is not ready. Returns `true` if it was woken: the caller must queue
    /// it.
    #[must_use]
    pub fn suspend(&self) -> bool {
        match self.state.compare_exchange(POLLED, IDLE) {
            Ok(_) => false,
            Err(_) => {
                self.state.swap(QUEUED, AcqRel);
                true
            }
        }
    }
}

/// A job that was polled at least once, or is polled next.
struct Begun {
    job: Job,
    /// Set once it has waited.
    enlisted: Option<Enlisted>,
}

/// The pool, as far as its tasks need it.
pub trait TaskHome: Send + Sync + Sized + 'static {
    /// Lists a task that waits, until the result is dropped.
    fn enlist_task(&self, tenant: Tenant, task: Weak<dyn WaitingTask>) -> Enlisted;

    /// Has a thread poll a task that was woken, unless the server has stopped.
    fn queue_task(&self, task: Arc<Task<Self>>);

    /// Notes that tasks wait: looks must include them from now on.
    fn watch_tasks(&self);

    /// Returns the stage that the server is in.
    fn stage(&self) -> &ServerStage<Std>;
}

/// A job with its waker.
pub struct Task<H: TaskHome> {
    schedule: Schedule<Std>,
    /// Empty once it is done. This is the one lock that is held while code of the user's runs, as the job is
    /// polled. No thread waits for it, by invariants 1 and 3.
    begun: Mutex<Option<Begun>>,
    /// The client and the method that it belongs to.
    pub tenant: Tenant,
    /// Weak: a waker that is leaked must not keep a server alive.
    pool: Weak<H>,
}

impl<H: TaskHome> Task<H> {
    /// Returns a task that is polled next.
    pub fn new(job: Job, tenant: Tenant, pool: &Arc<H>) -> Arc<Self> {
        Arc::new(Self {
            schedule: Schedule::polled(),
            begun: Mutex::new(Some(Begun { job, enlisted: None })),
            tenant,
            pool: Arc::downgrade(pool),
        })
    }

    /// Polls a task that was taken out of the queue.
    pub fn run_queued(self: Arc<Self>, pool: &Arc<H>) {
        self.schedule.start();
        self.poll(pool);
    }

    /// Polls a task that no other thread can poll.
    pub fn poll(self: Arc<Self>, pool: &Arc<H>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut slot = lock(&self.begun);
        let Some(begun) = slot.as_mut() else { return };
        let mut cx = Context::from_waker(&waker);
        // A job catches the panics of its handler. A panic that gets here came from dropping the handler's
        // future, so that one has ended too.
        if !matches!(catch(|| begun.job.as_mut().poll(&mut cx)), Ok(Poll::Pending)) {
            let ended = slot.take();
            drop(slot);
            return discard(ended);
        }
        begun.enlisted.get_or_insert_with(|| {
            let task: Weak<Self> = Arc::downgrade(&self);
            pool.enlist_task(self.tenant, task)
        });
        drop(slot);
        if is_to_end(pool.stage()) {
            return self.end();
        }
        pool.watch_tasks();
        if self.schedule.suspend() {
            pool.queue_task(self);
        }
    }
}

impl<H: TaskHome> WaitingTask for Task<H> {
    fn end(&self) {
        discard(take_behind_stop::<Std, _>(|| match self.begun.try_lock() {
            Ok(mut slot) => slot.take(),
            Err(TryLockError::Poisoned(slot)) => slot.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        }));
    }
}

/// Drops what is the user's, without a lock. A panic in it must not reach the caller.
fn discard(ended: Option<Begun>) {
    let _ = catch(|| drop(ended));
}

impl<H: TaskHome> Wake for Task<H> {
    fn wake(self: Arc<Self>) {
        if !self.schedule.wake() {
            return;
        }
        if let Some(pool) = self.pool.upgrade() {
            pool.queue_task(self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.schedule.wake()
            && let Some(pool) = self.pool.upgrade()
        {
            pool.queue_task(Arc::clone(self));
        }
    }
}
