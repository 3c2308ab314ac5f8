//! A worker, as its parent holds it.

use std::fmt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use crate::connection::handle::Client;
use crate::endpoint::mmf::Mmf;
use crate::error::WorkerError;
use crate::security::AccessToken;

use super::builder::WorkerBuilder;
use super::handle::WorkerHandle;
use super::supervisor::{Supervisor, WorkerState};

/// A child process that serves this one, and a client of its service.
///
/// Dropping it disconnects the client and all its clones, kills the process, and waits until the
/// process is gone. [`stop`](Self::stop) lets the process end by itself. If this process ends in any
/// other way, the worker's process ends too.
///
/// In a forked child of this process, a worker counts as ended, and dropping it does nothing.
///
/// # Examples
///
/// ```no_run
/// use std::process::Command;
/// use witrpc::{CallError, Worker, wit_service};
///
/// #[wit_service]
/// pub trait Decoder {
///     fn decode(&self, file: &[u8]) -> Result<Vec<u8>, String>;
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let worker = Worker::<DecoderClient>::spawn(Command::new("/usr/libexec/decoder"))?;
///     match worker.client().decode(b"..") {
///         // The end has the exit status or the signal, and what it wrote last.
///         Err(CallError::PeerDied) => eprintln!("a file has killed the decoder: {}", worker.wait()),
///         decoded => println!("{decoded:?}"),
///     }
///     Ok(())
/// }
/// ```
#[must_use = "a worker that is dropped is killed"]
pub struct Worker<C> {
    client: C,
    place: Mmf,
    token: AccessToken,
    handle: WorkerHandle,
}

impl<C> Worker<C> {
    /// Starts the command with all defaults, and returns once the service answers. For other options,
    /// use [`builder`](Self::builder); its notes on the command's standard streams apply here too.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] says whether the process did not start, did not serve, or ended, and how.
    pub fn spawn(command: Command) -> Result<Self, WorkerError>
    where
        C: Client,
    {
        Self::builder(command).spawn()
    }

    /// Returns a builder, to decide how the command is run.
    pub fn builder(command: Command) -> WorkerBuilder<C>
    where
        C: Client,
    {
        WorkerBuilder::new(command)
    }

    pub(super) fn new(
        client: C,
        place: Mmf,
        token: AccessToken,
        supervisor: Arc<Supervisor>,
    ) -> Self {
        Self { client, place, token, handle: WorkerHandle::new(supervisor) }
    }

    /// Returns the client. Its clones can go to other threads; they do not keep the worker alive.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// Returns the endpoint that it serves, for clients with other options and for clients of its other
    /// services. They also need its [token](Self::access_token).
    pub fn place(&self) -> Mmf {
        self.place.clone()
    }

    /// Returns the token that it requires from its clients.
    pub fn access_token(&self) -> &AccessToken {
        &self.token
    }

    /// Returns a handle to the worker, for other threads and tasks. It has all the methods that follow
    /// here.
    pub fn handle(&self) -> WorkerHandle {
        self.handle.clone()
    }

    /// Returns what the worker is doing: [`WorkerHandle::state`].
    #[must_use]
    pub fn state(&self) -> WorkerState {
        self.handle.state()
    }

    /// Returns how many processes have followed the first one: [`WorkerHandle::restarts`].
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.handle.restarts()
    }

    /// Returns why the last process has ended, or the last attempt to start one has failed:
    /// [`WorkerHandle::last_failure`].
    #[must_use]
    pub fn last_failure(&self) -> Option<Arc<WorkerError>> {
        self.handle.last_failure()
    }

    /// Blocks until the worker has ended for good, and returns how: [`WorkerHandle::wait`].
    ///
    /// # Panics
    ///
    /// Panics in a forked child, which cannot learn of the end.
    pub fn wait(&self) -> Arc<WorkerError> {
        self.handle.wait()
    }

    /// Waits until the worker has ended for good, and returns how: [`WorkerHandle::wait_async`].
    ///
    /// # Panics
    ///
    /// Panics in a forked child, which cannot learn of the end.
    pub async fn wait_async(&self) -> Arc<WorkerError> {
        self.handle.wait_async().await
    }

    /// Makes the process end by itself, and kills it if it has not ended after `within`:
    /// [`WorkerHandle::stop`].
    pub fn stop(&self, within: Duration) -> Option<ExitStatus> {
        self.handle.stop(within)
    }

    /// Kills the process at once, whatever it does: [`WorkerHandle::kill`].
    pub fn kill(&self) -> Option<ExitStatus> {
        self.handle.kill()
    }

    /// Replaces the process by the next one: [`WorkerHandle::restart`].
    pub fn restart(&self) -> bool {
        self.handle.restart()
    }

    /// Does the same as [`stop`](Self::stop) for tasks of any executor: [`WorkerHandle::stop_async`].
    pub async fn stop_async(&self, within: Duration) -> Option<ExitStatus> {
        self.handle.stop_async(within).await
    }
}

impl<C> Drop for Worker<C> {
    fn drop(&mut self) {
        self.handle.kill();
    }
}

impl<C> fmt::Debug for Worker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Hides the endpoint: its name must stay secret.
        f.debug_struct("Worker")
            .field("state", &self.state())
            .field("restarts", &self.restarts())
            .finish_non_exhaustive()
    }
}
