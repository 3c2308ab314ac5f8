//! Threads for methods that take their items from an iterator.
//!
//! Such a method keeps its thread for as long as its client likes. On a thread of the pool it would
//! keep all others waiting, even those that bring what it waits for. So it has a thread of its own.
//! A client has [`MAX_FED_THREADS`] of them; more methods wait until one is free, and with them
//! nobody but that client. A thread that the machine refuses is an error of that call: its job must
//! not run where others are served.
//!
//! A client may go, leave its threads stuck, and come back for as many more. So the server lets no client in
//! while too many threads are [left behind](crate::pool::shares), these among them.
//!
//! # Invariants
//!
//! 1. A thread that has done its job takes the next that waits or ends, in one step. A thread that could not
//!    be started has its place taken by another one for the next job. So jobs wait only while all threads
//!    are taken.
//! 2. A job waits until a thread takes it, its stream is closed, or the client goes.
//! 3. A thread serves one client and has a seat for it from before it starts until it ends. So each job
//!    that runs is seen to be that client's.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use witrpc_rt::lock;

use crate::pool::{ExternalThreadGuard, Job, Pool, Tenant};
use crate::rt::block_on;

use super::slot::HasSlot;

/// How many methods that are fed by one client have a thread.
const MAX_FED_THREADS: usize = 8;

/// The threads of one client.
#[derive(Default)]
pub struct FedThreads(Mutex<StreamThreadsState>);

#[derive(Default)]
struct StreamThreadsState {
    /// The threads that run or are being started.
    running: usize,
    waiting: VecDeque<FedJob>,
    /// The client has gone: nothing waits any more.
    left: bool,
}

/// The job of a method that is fed.
pub struct FedJob {
    /// Of its stream.
    pub number: u64,
    pub tenant: Tenant,
    pub job: Job,
    /// Where it is said that the job was refused.
    pub feed: Arc<dyn HasSlot>,
}

impl FedThreads {
    /// Runs a job, now or when its turn comes. If the machine has no thread, the job is refused.
    pub fn run(self: &Arc<Self>, job: FedJob, pool: &Arc<Pool>) {
        let mut next = self.begin_or_queue(job);
        while let Some(FedJob { number: _, tenant, job, feed }) = next {
            let Err((error, job)) = self.start(job, tenant, pool) else { return };
            feed.slot().refuse(error.to_string());
            drop(job);
            // Whose place this one had may wait by now.
            next = self.next();
        }
    }

    /// Gives the job back that is to have a thread now.
    fn begin_or_queue(&self, job: FedJob) -> Option<FedJob> {
        let mut state = self.lock();
        if state.running < MAX_FED_THREADS {
            state.running += 1;
            return Some(job);
        }
        if state.left {
            drop(state);
            drop(job);
        } else {
            state.waiting.push_back(job);
        }
        None
    }

    fn start(
        self: &Arc<Self>,
        job: Job,
        tenant: Tenant,
        pool: &Arc<Pool>,
    ) -> Result<(), (io::Error, Job)> {
        let work = Arc::new(Mutex::new(Some(job)));
        let (threads, theirs) = (Arc::clone(self), Arc::clone(&work));
        let beside = ExternalThreadGuard::new(pool, tenant);
        let started = pool.threads().spawn("witrpc-fed".to_owned(), move || {
            let _beside = beside;
            let first = lock(&theirs).take();
            threads.work(first);
        });
        let Err(error) = started else { return Ok(()) };
        let job = lock(&work).take();
        Err((error, job.expect("a thread that does not run takes nothing")))
    }

    fn work(&self, mut next: Option<Job>) {
        while let Some(mut job) = next {
            // A job catches what its handler panics with; what is left is a panic while the handler's
            // future is dropped.
            let done = catch_unwind(AssertUnwindSafe(|| {
                block_on(|cx| job.as_mut().poll(cx));
                drop(job);
            }));
            done.unwrap_or_else(std::mem::forget);
            next = self.next().map(|next| next.job);
        }
    }

    /// The next job for a thread that is there; without one, that ends.
    fn next(&self) -> Option<FedJob> {
        let mut state = self.lock();
        match state.waiting.pop_front() {
            Some(job) => Some(job),
            None => {
                state.running -= 1;
                None
            }
        }
    }

    /// Takes the job of the stream of that number off, if it waits for a thread: it need not begin.
    #[must_use]
    pub fn call_off(&self, number: u64) -> Option<Job> {
        let mut state = self.lock();
        let place = state.waiting.iter().position(|waiting| waiting.number == number)?;
        state.waiting.remove(place).map(|waiting| waiting.job)
    }

    /// The client has gone. Returns the jobs that will never run: to drop one tells the hooks.
    #[must_use]
    pub fn leave(&self) -> Vec<FedJob> {
        let mut state = self.lock();
        state.left = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into()
    }

    fn lock(&self) -> MutexGuard<'_, StreamThreadsState> {
        lock(&self.0)
    }
}
