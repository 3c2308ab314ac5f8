//! The worker processes, and which of them gets the next file.

use std::env;
use std::error::Error;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use witrpc::{Backoff, Worker, WorkerError, WorkerState};

use crate::thumbnails::ThumbnailsAsyncClient;

/// Workers that all do the same. One that ends unasked is followed by another process.
pub(crate) struct Pool {
    members: Vec<Member>,
}

struct Member {
    worker: Worker<ThumbnailsAsyncClient>,
    calls: AtomicUsize,
}

/// What a worker is doing.
#[derive(Serialize)]
pub(crate) struct Status {
    /// The process; none while the next one starts.
    pid: Option<u32>,
    calls: usize,
    restarts: u64,
}

impl Pool {
    /// Starts that many workers. A call may take `timeout`, with the wait for a worker that starts.
    pub(crate) async fn start(
        count: NonZero<usize>,
        timeout: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let mut starting = JoinSet::new();
        for _ in 0..count.get() {
            starting.spawn(start(env::current_exe()?, timeout));
        }
        let mut members = Vec::new();
        while let Some(started) = starting.join_next().await {
            members.push(Member { worker: started??, calls: AtomicUsize::new(0) });
        }
        Ok(Self { members })
    }

    /// Lends the worker that has the fewest calls, of those that serve now if there is one.
    pub(crate) fn least_busy(&self) -> Lent<'_> {
        let load = |member: &&Member| {
            let serves = matches!(member.worker.state(), WorkerState::Serving { .. });
            (!serves, member.calls.load(Relaxed))
        };
        let member = self.members.iter().min_by_key(load).expect("a pool has a worker");
        member.calls.fetch_add(1, Relaxed);
        Lent(member)
    }

    pub(crate) fn status(&self) -> Vec<Status> {
        let status = |Member { worker, calls }: &Member| Status {
            pid: match worker.state() {
                WorkerState::Serving { pid } => Some(pid),
                _ => None,
            },
            calls: calls.load(Relaxed),
            restarts: worker.restarts(),
        };
        self.members.iter().map(status).collect()
    }

    /// Lets all workers end by themselves, and kills those that have not ended in time.
    pub(crate) async fn stop(&self, within: Duration) {
        let mut stopping = JoinSet::new();
        for member in &self.members {
            let handle = member.worker.handle();
            stopping.spawn(async move { handle.stop_async(within).await });
        }
        stopping.join_all().await;
    }
}

async fn start(
    program: PathBuf,
    timeout: Duration,
) -> Result<Worker<ThumbnailsAsyncClient>, WorkerError> {
    Worker::builder(Command::new(program))
        .restart(Backoff::default())
        .client(move |client| client.call_timeout(timeout))
        .on_failure(|failure| eprintln!("axum_workers: {failure}"))
        .spawn_async()
        .await
}

/// A worker for one call.
pub(crate) struct Lent<'a>(&'a Member);

impl Lent<'_> {
    pub(crate) fn client(&self) -> &ThumbnailsAsyncClient {
        self.0.worker.client()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
    }
}
