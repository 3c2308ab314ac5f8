//! Threads for methods that take their items from an iterator.
//!
//! Such a method keeps its thread for as long as its client wants. On a thread of the pool it would block
//! all other calls, even those that bring what it waits for. So it runs on its own thread. A client has
//! [`MAX_UPLOAD_THREADS`] of them. Further methods wait until one is free, which delays only that client. If
//! the system refuses a thread, the call fails: its job must not run on a thread that serves other
//! clients.
//!
//! A client may disconnect, leave its threads stuck, and return for the same number again. So the server
//! accepts no client while too many threads are [left behind](crate::pool::shares), including these.
//!
//! # Invariants
//!
//! 1. A thread that has done its job takes the next waiting job or ends, in one step. If a thread could
//!    not be started, another takes its place for the next job. So jobs wait only while all threads are
//!    taken.
//! 2. A job waits until a thread takes it, its stream is closed, or the client goes.
//! 3. A thread serves one client, and has a seat for it from before it starts until it ends. So each
//!    running job counts towards that client.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use witrpc_rt::lock;

use crate::pool::{ExternalThreadGuard, Job, Pool, Tenant};
use crate::rt::block_on;

use super::slot::HasSlot;

/// The most methods with an upload of one client that have a thread.
const MAX_UPLOAD_THREADS: usize = 8;

/// The threads of one client.
#[derive(Default)]
pub struct UploadThreads(Mutex<UploadThreadsState>);

#[derive(Default)]
struct UploadThreadsState {
    /// How many threads run or are being started.
    running: usize,
    waiting: VecDeque<UploadJob>,
    /// The client has gone, so no job waits any more.
    left: bool,
}

/// The job of a method with an upload.
pub struct UploadJob {
    /// The number of its stream.
    pub number: u64,
    pub tenant: Tenant,
    pub job: Job,
    /// The upload, which notes that the job was refused.
    pub upload: Arc<dyn HasSlot>,
}

impl UploadThreads {
    /// Runs a job, now or when its turn comes. If the system has no thread, the job is refused.
    pub fn run(self: &Arc<Self>, job: UploadJob, pool: &Arc<Pool>) {
        let mut next = self.begin_or_queue(job);
        while let Some(UploadJob { number: _, tenant, job, upload }) = next {
            let Err((error, job)) = self.start(job, tenant, pool) else { return };
            upload.slot().refuse(error.to_string());
            drop(job);
            // Another job may be waiting by now for the freed place.
            next = self.next();
        }
    }

    /// Returns the job if it gets a thread now; otherwise queues it.
    fn begin_or_queue(&self, job: UploadJob) -> Option<UploadJob> {
        let mut state = lock(&self.0);
        if state.running < MAX_UPLOAD_THREADS {
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
        let started = pool.threads.spawn("witrpc-fed".to_owned(), move || {
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
            // A job catches the panic of its handler. This catches a panic while the handler's
            // future is dropped.
            let done = catch_unwind(AssertUnwindSafe(|| {
                block_on(|cx| job.as_mut().poll(cx));
                drop(job);
            }));
            done.unwrap_or_else(std::mem::forget);
            next = self.next().map(|next| next.job);
        }
    }

    /// Returns the next job for a thread that has finished one. Without a job, the thread ends.
    fn next(&self) -> Option<UploadJob> {
        let mut state = lock(&self.0);
        match state.waiting.pop_front() {
            Some(job) => Some(job),
            None => {
                state.running -= 1;
                None
            }
        }
    }

    /// Removes the waiting job of a stream, so that it never begins.
    #[must_use]
    pub fn call_off(&self, number: u64) -> Option<Job> {
        let mut state = lock(&self.0);
        let place = state.waiting.iter().position(|waiting| waiting.number == number)?;
        state.waiting.remove(place).map(|waiting| waiting.job)
    }

    /// Ends the waiting of all jobs, because the client has disconnected. Returns the jobs that
    /// will never run: dropping one tells the hooks.
    #[must_use]
    pub fn leave(&self) -> Vec<UploadJob> {
        let mut state = lock(&self.0);
        state.left = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into()
    }
}
