//! The threads of a server: one looks for requests and runs handlers, the others stand by.
//!
//! ```text
//! stand-by: sleeps ──ring──► role vacant, or its holder busy? ──no──► sleeps
//!     ▲                        │ yes: takes the role
//!     │                        ▼
//!     │◄─ role put down ─── holder: looks ──► request or task: runs it ──► role still mine?
//!     │   and a last look      ▲                                             │ yes     │ no
//!     │   found nothing        └─────────────────────────────────────────────┘         │
//!     └◄───────────────────────── displaced: another thread looks ◄────────────────────┘
//! ```
//!
//! A handler runs on the thread that found its request: to hand each call over to another thread would cost
//! more than most calls do. Nothing watches for slow handlers. Instead, a client whose request is not taken
//! rings again and again. That wakes a stand-by, which takes the role from the holder that is stuck.
//!
//! A call whose handler is not `async` takes no lock of the pool's, no allocation, no clock and no shared
//! counter. A thread sleeps with a timeout only while there are more threads than needed, or no free ones. Over
//! shared memory, the engine adds two exchanges of its list slot and a counted reference to the connection. The
//! reason: a handler that runs must not keep a connection that has ended.
//!
//! - [`poller_lock`]: the word that says which thread looks; [`bell`]: tasks that are ready;
//!   [`poller_protocol`]: both in order; `model`: their proof, on [`rt::primitive`](crate::rt::primitive).
//! - [`thread_count`]: how many threads there are and may be.
//! - [`shares`]: how many of them each client may have, by a [`census`] of the [`seats`]; [`permit`]: what a
//!   look may therefore run.
//! - [`spin`]: how long threads look in vain.
//! - [`worker`]: the loop of a thread; [`external_thread`]: threads outside of the pool; [`task`]: handlers
//!   that wait; [`life`] and [`stage`]: how it all ends.

pub mod bell;
pub mod census;
pub mod external_thread;
pub mod jobs;
pub mod life;
pub mod permit;
pub mod queue;
pub mod seats;
pub mod shares;
pub mod spin;
pub mod stage;
pub mod task;
mod task_end;
pub mod worker;

#[cfg(test)]
mod model;
pub mod poller_lock;
pub mod poller_protocol;
pub mod running;
pub mod stop_reason;
pub mod thread_count;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crate::rt::primitive::Std;
use census::Census;
use jobs::{Jobs, WaitingTask};
use life::Life;
use poller_lock::ThreadNumber;
use poller_protocol::PollerProtocol;
use queue::TaskQueue;
use running::RunningMethod;
use shares::Shares;
use stage::ServerStage;
use stop_reason::StopReason;
use task::{Task, TaskHome};
use thread_count::{PoolCounts, ThreadCount};
use witrpc_transport::{
    Peer, Request, ServerPort, ShortAnswer, ShortRequest, Shutdown, WaitPolicy,
};
use worker::PoolWorker;

use crate::observe::counters::{CounterRegistry, ThreadCounters};
use crate::rt::{Threads, Timer};

pub use census::{Clients, Served};
pub use external_thread::ExternalThreadGuard;
pub use jobs::Enlisted;
pub use seats::Tenant;
pub use task::Job;

/// The code that serves the requests a pool finds.
pub trait Handler: Send + Sync {
    /// Serves one request. It puts the answer where it is sent from, answers through the peer, or leaves that
    /// to a job. `counters` is the calling thread's. Must not panic.
    fn serve(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    );

    /// Does the same for a short request without a deadline.
    fn serve_short(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    );

    /// Returns the names of the service and the method that a request of that tag calls.
    fn names(&self, tag: u32) -> Option<[&'static str; 2]>;
}

/// The load of a pool at one moment.
pub struct PoolLoad {
    pub threads: u32,
    /// Threads that sleep until something rings.
    pub standbys: u32,
    pub counts: crate::observe::counters::CounterSnapshot,
}

/// The threads of one server, and what they share.
pub struct Pool {
    port: Arc<dyn ServerPort>,
    handler: Box<dyn Handler>,
    /// How threads look. Found out once, when the server starts: a thread that is pinned to a core may hire
    /// another one, which would then see a single core.
    wait: WaitPolicy,
    protocol: PollerProtocol<Std>,
    thread_count: ThreadCount<Std>,
    pub life: Life,
    shares: Shares<Std>,
    tasks: TaskQueue<Self>,
    /// How many jobs have not ended, wherever they run.
    unanswered: AtomicUsize,
    /// The jobs that have waited, or run outside of the pool.
    jobs: Jobs,
    /// All threads of the server except the transport's.
    pub threads: Threads,
    counter_registry: Arc<CounterRegistry>,
    /// Wakes handlers that wait for the deadline of their call. It has a thread only while some do.
    pub timer: Arc<Timer>,
}

impl Pool {
    /// Starts two threads: one to look, one to stand by. `clients` is the list of those connected.
    pub fn start(
        port: Arc<dyn ServerPort>,
        handler: Box<dyn Handler>,
        wait: WaitPolicy,
        max_workers: u32,
        clients: Arc<dyn Clients>,
        counter_registry: Arc<CounterRegistry>,
    ) -> io::Result<Arc<Self>> {
        let threads = Threads::default();
        let pool = Arc::new(Self {
            port,
            handler,
            wait: spin::granted(wait),
            protocol: PollerProtocol::new(),
            thread_count: ThreadCount::new(max_workers),
            life: Life::new(),
            shares: Shares::new(max_workers, clients),
            tasks: TaskQueue::new(),
            unanswered: AtomicUsize::new(0),
            jobs: Jobs::default(),
            timer: Arc::new(Timer::of(threads.clone())),
            threads,
            counter_registry,
        });
        // Both count before either runs: otherwise the first would see itself alone and hire a third.
        for count in [pool.thread_count.hire(), pool.thread_count.hire()] {
            if let Err(error) = pool.start_thread(count) {
                pool.begin_stop();
                pool.close(Shutdown::Now);
                pool.stopped(Shutdown::Now, StopReason::ShutDown);
                return Err(error);
            }
        }
        Ok(pool)
    }

    pub fn port(&self) -> &dyn ServerPort {
        &*self.port
    }

    /// Returns what the threads are doing, and what has been counted.
    pub fn load(&self) -> PoolLoad {
        let PoolCounts { threads, standbys } = self.thread_count.counts();
        PoolLoad { threads, standbys, counts: self.counter_registry.counts() }
    }

    /// Starts one more stand-by. If the machine refuses one, the pool serves on as at its bound.
    fn hire(self: &Arc<Self>) {
        let count = self.thread_count.hire();
        if self.start_thread(count).is_err() {
            self.thread_count.dismiss();
        }
    }

    /// Starts a thread in place of one that is left behind, if there is no stand-by. The caller holds the role.
    #[cold]
    fn replace_left_behind(self: &Arc<Self>, census: &mut Census) {
        if self.shares.replaces_one(self.thread_count.counts(), census) && !self.life.is_stopped() {
            self.hire();
        }
    }

    /// Returns the limit on threads left behind by clients that have gone, if it is reached.
    pub fn too_many_left_behind(&self) -> Option<u32> {
        self.shares.too_many_left_behind()
    }

    fn start_thread(self: &Arc<Self>, count: u64) -> io::Result<()> {
        let worker = PoolWorker::new(Arc::clone(self), ThreadNumber::from_count(count));
        // At most 15 bytes: Linux keeps no more of a thread's name.
        let name = format!("witrpc-srv-{}", count % 10_000);
        let pool = Arc::clone(self);
        self.threads.spawn(name, move || {
            worker.run();
            // The work that the end leaves over is known only once the server has stopped.
            if pool.life.is_stopped() {
                pool.life.wait_stopped(None);
            }
            pool.shares.clients().thread_ends();
        })
    }

    /// Runs a job on these threads, starting at once on this one.
    pub fn run_job(self: &Arc<Self>, job: Job, tenant: Tenant) {
        Task::new(job, tenant, self).poll(self);
    }

    /// Wakes a thread after a client has left, since the shares of the others have grown.
    pub fn shares_grew(&self) {
        if !self.life.is_stopped() {
            self.port.ring();
        }
    }

    /// Counts a job that a shutdown waits for.
    pub fn job_begun(&self) {
        self.unanswered.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts it off again.
    pub fn job_done(&self) {
        self.unanswered.fetch_sub(1, Ordering::SeqCst);
        // Pairs with the fence of `begin_draining`. Either this sees that draining has begun, or the look that
        // follows its begin sees the job gone.
        fence(Ordering::SeqCst);
        if self.life.is_draining() {
            self.port.ring();
        }
    }

    /// Announces to the clients that nothing new is taken, and has all that arrived answered.
    pub fn drain(&self) {
        if !self.life.is_ours() {
            return;
        }
        self.port.stop_accepting();
        self.port.drain();
        // After `drain`: a last look counts only if nothing can arrive behind it.
        self.life.stage.begin_draining();
        self.port.ring();
    }

    /// Begins the end of the server. Returns `true` to the first caller, which then does the rest.
    pub fn begin_stop(&self) -> bool {
        self.life.is_ours() && self.life.stage.begin_stop()
    }

    /// Returns whether the server of that pool ends, or has ended.
    pub fn ends(pool: &Weak<Self>) -> bool {
        pool.upgrade().is_none_or(|pool| pool.life.is_stopped())
    }

    /// Closes all connections.
    pub fn close(&self, how: Shutdown) {
        self.port.close(how);
    }

    /// Ends the threads. A thread in a handler ends after it.
    pub fn stopped(&self, how: Shutdown, why: StopReason) {
        self.timer.close();
        self.life.stopped(how, why);
        // Each thread that ends rings for the next.
        self.port.ring();
    }

    /// Waits until the server has stopped and its threads have ended, or the time is over. Returns whether they
    /// have ended.
    pub fn join(&self, until: Option<Instant>) -> bool {
        self.life.wait_stopped(until) && self.threads.join(until) && self.port.join(until)
    }

    /// Lists a job that runs outside of the pool, until the result is dropped.
    pub fn enlist(&self, tenant: Tenant) -> Enlisted {
        self.jobs.enlist(tenant, None)
    }

    /// Returns whether any tasks wait.
    pub fn has_tasks(&self) -> bool {
        !self.jobs.tasks().is_empty()
    }

    /// Drops all tasks that wait, with the users' futures. The server has stopped.
    pub fn drop_tasks(&self) {
        let tasks: Vec<_> = self.jobs.tasks().iter().filter_map(Weak::upgrade).collect();
        tasks.iter().for_each(|task| task.end());
        self.tasks.clear();
    }

    /// Returns the methods that run now.
    pub fn running(&self) -> Vec<RunningMethod> {
        let tenants = self.shares.seats.tenants().chain(self.jobs.tenants());
        let named = |Tenant { client, tag }| {
            let [service, method] = self.handler.names(tag)?;
            Some(RunningMethod { service, method, client_id: client })
        };
        tenants.filter_map(named).collect()
    }

    /// Returns whether nothing runs or waits to be sent. Called after a last look that found nothing, with the
    /// role vacant.
    fn is_quiet(&self) -> bool {
        self.thread_count.counts().all_stand_by()
            && self.unanswered.load(Ordering::SeqCst) == 0
            && !self.protocol.bell.any_ready()
            && self.port.has_delivered()
    }
}

impl TaskHome for Pool {
    fn enlist_task(&self, tenant: Tenant, task: Weak<dyn WaitingTask>) -> Enlisted {
        self.jobs.enlist(tenant, Some(task))
    }

    fn queue_task(&self, task: Arc<Task<Self>>) {
        if self.life.is_stopped() {
            return;
        }
        self.protocol.bell.add();
        self.tasks.push(task);
        if self.protocol.queued() {
            self.port.ring();
        }
    }

    fn watch_tasks(&self) {
        self.protocol.bell.put_to_use();
    }

    fn stage(&self) -> &ServerStage<Std> {
        &self.life.stage
    }
}
