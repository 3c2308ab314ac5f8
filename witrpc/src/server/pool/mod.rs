//! The threads of a server: one looks for requests and runs handlers, the others stand by.
//!
//! ```text
//! stand-by: sleeps ──ring──► role vacant, or its holder busy? ──no──► sleeps
//!     ▲                        │ yes: takes the role
//!     │                        ▼
//!     │◄─ role put down ─── holder: looks ──► request or task: runs it ──► role still mine?
//!     │   and a last look      ▲                                             │ yes     │ no
//!     │   found nothing        └─────────────────────────────────────────────┘         │
//!     └◄───────────────────────── displaced: somebody else looks ◄─────────────────────┘
//! ```
//!
//! Handlers run on the thread that found the request: to hand each call over to another thread
//! would cost more than most calls do. Nothing watches for slow handlers. The clients do: one that
//! waits for its request to be taken rings again and again, which wakes a stand-by, which takes the
//! role from the holder that is stuck.
//!
//! What is absent on purpose: no lock, allocation, clock or shared counter on the way of a call
//! whose handler is not `async`; no timed sleep unless there are more threads than needed or no
//! free ones.
//!
//! - [`role`]: the word that says who looks; [`bell`]: tasks that are ready; [`duty`]: both in
//!   order; [`primitive`] and `model`: their proof.
//! - [`crew`]: how many threads there are and may be; [`spin`]: how long they look in vain.
//! - [`worker`]: the loop of a thread; [`task`]: handlers that wait; [`life`] and [`stage`]: how it
//!   all ends.

mod bell;
mod crew;
mod duty;
mod life;
mod primitive;
mod role;
mod spin;
mod stage;
mod task;
mod worker;

#[cfg(test)]
mod model;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::timer::Timer;
use crate::transport::WaitPolicy;
use crate::transport::{Peer, Request, ServerPort};

use self::crew::{Counts, Crew};
use self::duty::Duty;
use self::life::Life;
use self::primitive::Std;
use self::role::ThreadNumber;
use self::spin::Spin;
use self::task::Task;
use self::worker::Worker;

use super::tally::{Ledger, Tally};
use crate::transport::Shutdown;

pub(super) use self::task::Job;

/// What a pool does with the requests it finds.
pub(super) trait Handler: Send + Sync {
    /// Serves one request: answers it, or leaves that to a job. `tally` is the calling thread's. Must
    /// not panic.
    fn serve(&self, pool: &Arc<Pool>, tally: &Tally, peer: &Arc<dyn Peer>, request: &mut Request);
}

/// What a pool is doing at one look.
pub(super) struct Load {
    pub(super) threads: u32,
    /// Those that sleep until something rings.
    pub(super) standbys: u32,
    pub(super) counts: super::tally::Counts,
}

/// A thread that runs methods and is none of the pool's, for as long as it does. It does not keep the
/// pool.
pub(super) struct Beside(Arc<AtomicUsize>);

impl Beside {
    pub(super) fn new(pool: &Pool) -> Self {
        pool.beside.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&pool.beside))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The threads of one server, and what they share.
pub(super) struct Pool {
    port: Arc<dyn ServerPort>,
    handler: Box<dyn Handler>,
    /// What each thread starts with. Made once, at the start of the server: a thread that is hired
    /// later by one that was pinned to a core would take it that there is no other.
    spin: Spin,
    duty: Duty<Std>,
    crew: Crew<Std>,
    life: Life,
    /// Tasks that are ready.
    ready: Mutex<VecDeque<Arc<Task>>>,
    /// Jobs that have not ended, wherever they run.
    jobs: AtomicUsize,
    /// Threads that run methods and are none of these.
    beside: Arc<AtomicUsize>,
    ledger: Arc<Ledger>,
    /// Wakes handlers that wait for the deadline of their call. Has a thread only while some do.
    timer: Arc<Timer>,
}

impl Pool {
    /// Starts two threads: one to look, one to stand by.
    pub(super) fn start(
        port: Arc<dyn ServerPort>,
        handler: Box<dyn Handler>,
        wait: WaitPolicy,
        max_workers: u32,
        ledger: Arc<Ledger>,
    ) -> io::Result<Arc<Self>> {
        let pool = Arc::new(Self {
            port,
            handler,
            spin: Spin::new(wait),
            duty: Duty::new(),
            crew: Crew::new(max_workers),
            life: Life::new(),
            ready: Mutex::new(VecDeque::new()),
            jobs: AtomicUsize::new(0),
            beside: Arc::default(),
            ledger,
            timer: Arc::default(),
        });
        // Both count before either runs, or the first would see itself alone and hire a third.
        for count in [pool.crew.hire(), pool.crew.hire()] {
            if let Err(error) = pool.start_thread(count) {
                pool.stop(Shutdown::Now);
                return Err(error);
            }
        }
        Ok(pool)
    }

    pub(super) fn port(&self) -> &dyn ServerPort {
        &*self.port
    }

    /// What the threads are doing, and what has been counted.
    pub(super) fn load(&self) -> Load {
        let Counts { threads, standbys } = self.crew.counts();
        Load { threads, standbys, counts: self.ledger.counts() }
    }

    pub(super) fn timer(&self) -> &Arc<Timer> {
        &self.timer
    }

    pub(super) fn life(&self) -> &Life {
        &self.life
    }

    /// Starts one more stand-by. If the machine refuses one, the pool serves on as at its bound.
    fn hire(self: &Arc<Self>) {
        let count = self.crew.hire();
        if self.start_thread(count).is_err() {
            self.crew.dismiss();
        }
    }

    fn start_thread(self: &Arc<Self>, count: u64) -> io::Result<()> {
        let worker = Worker::new(Arc::clone(self), ThreadNumber::from_count(count));
        // At most 15 bytes, which is what Linux keeps of a thread's name.
        let name = format!("witrpc-srv-{}", count % 10_000);
        thread::Builder::new().name(name).spawn(move || worker.run()).map(drop)
    }

    /// Runs a job on these threads, starting at once on this one.
    pub(super) fn run_job(self: &Arc<Self>, job: Job) {
        Task::new(job, self).poll(self);
    }

    /// Whether threads beside the holder of the role run methods. A hint: to be wrong costs time.
    fn others_run(&self) -> bool {
        self.beside.load(Ordering::Relaxed) > 0 || self.crew.counts().others_run()
    }

    /// A job exists that a shutdown waits for.
    pub(super) fn job_begun(&self) {
        self.jobs.fetch_add(1, Ordering::SeqCst);
    }

    /// It has ended.
    pub(super) fn job_done(&self) {
        self.jobs.fetch_sub(1, Ordering::SeqCst);
        // Pairs with the fence of `begin_draining`: either this sees that draining has begun, or the
        // look that follows its begin sees the job gone.
        fence(Ordering::SeqCst);
        if self.life.is_draining() {
            self.port.ring();
        }
    }

    fn queue_task(&self, task: Arc<Task>) {
        if self.life.is_stopped() {
            return;
        }
        self.duty.bell().add();
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        if self.duty.queued() {
            self.port.ring();
        }
    }

    fn next_task(&self) -> Option<Arc<Task>> {
        if !self.duty.bell().any_ready() {
            return None;
        }
        let task = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        self.duty.bell().remove();
        Some(task)
    }

    /// Lets the clients know that nothing new is taken, and has all that arrived answered.
    pub(super) fn drain(&self) {
        if !self.life.is_ours() {
            return;
        }
        self.port.stop_accepting();
        self.port.drain();
        // After `drain`: a last look counts only if nothing can arrive behind it.
        self.life.stage().begin_draining();
        self.port.ring();
    }

    /// Closes all connections and ends the threads; those in a handler, after it. Idempotent.
    pub(super) fn stop(&self, how: Shutdown) {
        if self.life.is_ours() && self.life.stage().begin_stop() {
            self.port.close(how);
            self.life.stopped();
            // Each thread that ends rings for the next.
            self.port.ring();
        }
    }

    /// After a last look that found nothing, with the role vacant: whether nothing runs or waits to
    /// be sent either.
    fn is_quiet(&self) -> bool {
        self.crew.counts().all_stand_by()
            && self.jobs.load(Ordering::SeqCst) == 0
            && !self.duty.bell().any_ready()
            && self.port.has_delivered()
    }
}
