//! The handle of a worker, for other threads and tasks.

use std::fmt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::mmf::Origin;
use crate::error::WorkerError;

use super::supervisor::{Supervisor, WorkerState};

/// How long ending a worker waits until its killed process is gone. The kernel may take long to free
/// the process's memory, about 80 ms for each GiB. The process is reaped in any case.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// A handle that observes and stops a [`Worker`](crate::Worker) from other threads and tasks. It can be
/// cloned and sent. It does not keep the worker alive: when the `Worker` is dropped, the process ends.
///
/// # Examples
///
/// A program that stops its worker when asked to, while another thread waits for the worker's end:
///
/// ```no_run
/// use std::process::Command;
/// use std::thread;
/// use std::time::Duration;
/// use witrpc::{Backoff, Worker, wit_service};
///
/// #[wit_service]
/// pub trait Job {
///     fn run(&self);
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let command = Command::new("/usr/libexec/job");
///     let worker = Worker::<JobClient>::builder(command).restart(Backoff::default()).spawn()?;
///     let handle = worker.handle();
///     let waiting = thread::spawn(move || handle.wait());
///     let status = worker.stop(Duration::from_secs(1));
///     println!("{status:?}: {}", waiting.join().unwrap());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct WorkerHandle {
    supervisor: Arc<Supervisor>,
    origin: Origin,
}

impl WorkerHandle {
    pub(super) fn new(supervisor: Arc<Supervisor>) -> Self {
        Self { supervisor, origin: Origin::here() }
    }

    /// Returns what the worker is doing, as far as its parent knows by now.
    #[must_use]
    pub fn state(&self) -> WorkerState {
        if self.origin.is_forked() { WorkerState::Ended } else { self.supervisor.state() }
    }

    /// Returns how many processes have followed the first one and have come to serve.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        if self.origin.is_forked() { 0 } else { self.supervisor.restarts() }
    }

    /// Returns why the last process ended, or why the last attempt to start one failed, even if another
    /// process serves by now. Returns `None` if neither has happened.
    #[must_use]
    pub fn last_failure(&self) -> Option<Arc<WorkerError>> {
        if self.origin.is_forked() { None } else { self.supervisor.failure() }
    }

    /// Blocks until the worker has ended for good, and returns how. A worker with restarts has ended
    /// for good when it is stopped or dropped.
    ///
    /// # Panics
    ///
    /// Panics in a forked child, which cannot learn of the end.
    ///
    /// # Deadlocks
    ///
    /// In [`on_failure`](super::WorkerBuilder::on_failure), whose thread notices the end: it would wait
    /// for itself.
    pub fn wait(&self) -> Arc<WorkerError> {
        self.assert_not_forked();
        self.supervisor.wait_ended();
        self.how()
    }

    /// Waits until the worker has ended for good, and returns how, as [`wait`](Self::wait) does. For tasks of
    /// any executor.
    ///
    /// # Panics
    ///
    /// Panics in a forked child, which cannot learn of the end.
    pub async fn wait_async(&self) -> Arc<WorkerError> {
        self.assert_not_forked();
        self.supervisor.ended().await;
        self.how()
    }

    /// Makes the process end by itself: in it, [`serve`](super::serve) returns. If it has not ended
    /// after `within`, it is killed. This closes the connection of the client and of its clones. It
    /// does not wait for running calls, and no other process follows.
    ///
    /// Returns the exit status; `None` if there was no process, or one whose status the kernel does not
    /// report. A worker that has ended before keeps its status. In a forked child this does nothing.
    ///
    /// In [`on_failure`](super::WorkerBuilder::on_failure), whose thread notices the end, this cannot
    /// see the process end, and blocks for `within` and two more seconds.
    pub fn stop(&self, within: Duration) -> Option<ExitStatus> {
        if self.origin.is_forked() {
            return None;
        }
        self.supervisor.dismiss(|pid_fd| pid_fd.hang_up());
        if self.supervisor.wait_ended_for(within) { self.supervisor.status() } else { self.kill() }
    }

    /// Does what [`stop`](Self::stop) does, for tasks of any executor. Dropping the future does not
    /// kill a process that keeps running, though the process has been asked to end. Dropping the
    /// [`Worker`](crate::Worker) does.
    pub async fn stop_async(&self, within: Duration) -> Option<ExitStatus> {
        if self.origin.is_forked() {
            return None;
        }
        self.supervisor.dismiss(|pid_fd| pid_fd.hang_up());
        if !self.supervisor.ended_within(within).await {
            self.supervisor.dismiss(|pid_fd| pid_fd.kill());
            self.supervisor.ended_within(GONE_WITHIN).await;
        }
        self.supervisor.status()
    }

    /// Kills the process at once, whatever it does: also one that hangs, or that a signal has stopped. Waits
    /// until it is gone, and no other process follows. Returns what [`stop`](Self::stop) returns. In a forked
    /// child this does nothing.
    pub fn kill(&self) -> Option<ExitStatus> {
        if self.origin.is_forked() {
            return None;
        }
        self.supervisor.dismiss(|pid_fd| pid_fd.kill());
        self.supervisor.wait_ended_for(GONE_WITHIN);
        self.supervisor.status()
    }

    /// Replaces the process: kills the present one, whatever it does, and has the next one started without a
    /// pause. Use it for a process that hangs, which [`Connection::ping`](crate::Connection::ping) tells. It
    /// does not wait for the next process; the client reconnects to it, and calls wait for that.
    ///
    /// This needs [`WorkerBuilder::restart`](super::WorkerBuilder::restart), and does not count against
    /// [`restart_limit`](super::WorkerBuilder::restart_limit). Returns whether a process follows: `false` for
    /// a worker without restarts, one that has ended for good, and in a forked child.
    pub fn restart(&self) -> bool {
        !self.origin.is_forked() && self.supervisor.restart()
    }

    fn how(&self) -> Arc<WorkerError> {
        self.supervisor.failure().expect("an end has been noted with why")
    }

    fn assert_not_forked(&self) {
        let here = !self.origin.is_forked();
        assert!(here, "a worker can be waited for only in the process that started it");
    }
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle")
            .field("state", &self.state())
            .field("restarts", &self.restarts())
            .finish_non_exhaustive()
    }
}
