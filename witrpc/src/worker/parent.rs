//! A worker, in its parent's hands.

use std::fmt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use super::builder::WorkerBuilder;
use super::keeper::{Keeper, WorkerState};
use crate::__private::v1::Client;
use crate::client::Connection;
use crate::error::WorkerError;
use crate::security::AccessToken;
use crate::transport::mmf::{Mmf, Origin};

/// How long dropping a worker waits for its killed process to be gone. Memory that the kernel takes
/// down, about 80 ms a GiB, is what it may have to wait for; the process is reaped in any case.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// A child process that serves this one, with a client of the service in it.
///
/// Dropping it disconnects the client and all its clones, kills the process, and waits until it is
/// gone. [`stop`](Self::stop) lets the process end by itself. If this process ends in any other
/// way, the worker's does too.
///
/// In a forked child of this process a worker counts as ended, and dropping it does nothing.
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
///         // Says with what status, or by which signal, and what it wrote last.
///         Err(CallError::PeerDied) => eprintln!("a file has killed the decoder: {}", worker.wait()),
///         decoded => println!("{decoded:?}"),
///     }
///     Ok(())
/// }
/// ```
#[must_use = "a worker that is dropped is killed"]
pub struct Worker<C> {
    client: C,
    connection: Connection,
    place: Mmf,
    token: AccessToken,
    keeper: Arc<Keeper>,
    origin: Origin,
}

impl<C> Worker<C> {
    /// Starts the command with all defaults, and returns once the service answers:
    /// [`builder`](Self::builder) lists what can be decided. What is said there of the command's
    /// standard streams holds here too.
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

    /// Starts to decide how the command is run.
    pub fn builder(command: Command) -> WorkerBuilder<C>
    where
        C: Client,
    {
        WorkerBuilder::new(command)
    }

    pub(super) fn new(
        client: C,
        connection: Connection,
        place: Mmf,
        token: AccessToken,
        keeper: Arc<Keeper>,
    ) -> Self {
        Self { client, connection, place, token, keeper, origin: Origin::here() }
    }

    /// The client. Its clones can go to other threads; they do not keep the worker.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// Where it serves, for clients with options of their own and for those of its other services;
    /// they need its [token](Self::access_token) too.
    pub fn place(&self) -> Mmf {
        self.place.clone()
    }

    /// The token that it asks its clients for.
    pub fn access_token(&self) -> &AccessToken {
        &self.token
    }

    /// What it is doing, as far as its parent knows by now.
    #[must_use]
    pub fn state(&self) -> WorkerState {
        if self.origin.is_forked() { WorkerState::Ended } else { self.keeper.state() }
    }

    /// How many processes have followed the first one and have come to serve.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        if self.origin.is_forked() { 0 } else { self.keeper.restarts() }
    }

    /// Why the last process that ended has done so, or the last attempt to start one has failed, also
    /// when another one serves by now; `None` if there was nothing of the kind.
    #[must_use]
    pub fn last_failure(&self) -> Option<Arc<WorkerError>> {
        if self.origin.is_forked() { None } else { self.keeper.failure() }
    }

    /// Blocks until the worker has ended for good, and says how: for one that is restarted, until it
    /// is stopped on another thread.
    ///
    /// # Panics
    ///
    /// In a forked child, where nobody learns of that.
    pub fn wait(&self) -> Arc<WorkerError> {
        assert!(!self.origin.is_forked(), "a worker can be waited for in the process that has it");
        self.keeper.wait_ended();
        self.keeper.failure().expect("an end has been noted with why")
    }

    /// Has the process end by itself: in it, [`serve`](super::serve) returns. One that has not ended
    /// after `within` is killed. Running calls are not waited for.
    ///
    /// Returns its exit status; `None` if there was no process, or none whose end the kernel tells.
    pub fn stop(self, within: Duration) -> Option<ExitStatus> {
        if self.origin.is_forked() {
            return None;
        }
        self.connection.disconnect();
        self.keeper.dismiss(|leash| leash.hang_up());
        self.keeper.wait_ended_for(within);
        let keeper = Arc::clone(&self.keeper);
        // Kills what is left.
        drop(self);
        keeper.status()
    }
}

impl<C> Drop for Worker<C> {
    fn drop(&mut self) {
        if self.origin.is_forked() {
            return;
        }
        self.connection.disconnect();
        self.keeper.dismiss(|leash| leash.kill());
        self.keeper.wait_ended_for(GONE_WITHIN);
    }
}

impl<C> fmt::Debug for Worker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the place, whose name nobody else is to know.
        f.debug_struct("Worker")
            .field("state", &self.state())
            .field("restarts", &self.restarts())
            .finish_non_exhaustive()
    }
}
