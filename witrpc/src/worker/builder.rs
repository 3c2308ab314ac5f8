//! How a worker is run: the decisions before it starts.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use crate::backoff::Backoff;
use crate::connection::builder::{Blocking, ClientBuilder};
use crate::connection::handle::{Client, Connection};
use crate::connection::reconnect::Reconnect;
use crate::endpoint::mmf::Mmf;
use crate::error::{ConnectError, WorkerError};
use crate::rt::{offload, restore_elsewhere};
use crate::security::AccessToken;

use super::assignment::Assignment;
use super::nesting::refuse_to_start;
use super::parent::Worker;
use super::restart_limit::RestartLimit;
use super::supervisor::{OnFailure, ProcessPlan, Supervisor};

/// How long a process may take until it serves, by default.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The options by which a worker is run. [`Worker::builder`] returns one.
///
/// The command is run as given, with these exceptions. Its standard input is the line between the two, and its
/// standard error is kept for the error of a crash. It also leads its own process group, so that Ctrl-C in a
/// terminal reaches only its parent. Standard output is up to the command, and inherited by default.
#[must_use = "a builder does nothing until spawn"]
pub struct WorkerBuilder<C> {
    command: Command,
    dir: Option<PathBuf>,
    start_timeout: Duration,
    forward_stderr: bool,
    own_process_group: bool,
    restart: Option<Backoff>,
    restart_limit: Option<RestartLimit>,
    on_failure: Option<OnFailure>,
    client: ConfigureClient<C>,
    connect: fn(Mmf, AccessToken, Option<Backoff>, ConfigureClient<C>) -> Connected<C>,
}

type ConfigureClient<C> =
    Box<dyn FnOnce(ClientBuilder<C, Blocking>) -> ClientBuilder<C, Blocking> + Send>;

/// A client, and its connection.
type Connected<C> = Result<(C, Connection), ConnectError>;

/// Connects to a worker that serves.
fn connect<C: Client>(
    place: Mmf,
    token: AccessToken,
    restart: Option<Backoff>,
    configure: ConfigureClient<C>,
) -> Connected<C> {
    let mut builder = ClientBuilder::new(place).access_token(token);
    if let Some(backoff) = restart {
        builder = builder.reconnect(Reconnect::new().backoff(backoff).after_shutdown(true));
    }
    let connection = configure(builder).connection()?;
    Ok((C::from_connection(connection.clone()), connection))
}

// Only the function that makes a builder requires a client. So a type that is not a client gives users one
// error.
impl<C> WorkerBuilder<C> {
    pub(super) fn new(command: Command) -> Self
    where
        C: Client,
    {
        Self {
            command,
            dir: None,
            start_timeout: START_TIMEOUT,
            forward_stderr: false,
            own_process_group: true,
            restart: None,
            restart_limit: None,
            on_failure: None,
            client: Box::new(|builder| builder),
            connect: connect::<C>,
        }
    }

    /// Sets a closure that decides how the client connects and calls: its codec, its timeouts. The
    /// builder that it receives has the worker's token. With [`restart`](Self::restart), it also
    /// reconnects to the next process.
    pub fn client(
        mut self,
        configure: impl FnOnce(ClientBuilder<C, Blocking>) -> ClientBuilder<C, Blocking>
        + Send
        + 'static,
    ) -> Self {
        self.client = Box::new(configure);
        self
    }

    /// Sets how long a process may take from its start until it serves; the default is 10 s. A process
    /// that takes longer is killed.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// Starts another process whenever one has ended unasked, after a pause; by default none follows.
    /// The next process serves under the same name and token. The client
    /// [reconnects](ClientBuilder::reconnect) to it, with the same pauses.
    pub fn restart(mut self, backoff: Backoff) -> Self {
        self.restart = Some(backoff);
        self
    }

    /// Ends the worker for good when more than `most` restarts would be needed `within` a time. By default
    /// a worker with [`restart`](Self::restart) is started again without end. Restarts that failed count,
    /// and those that [`WorkerHandle::restart`](super::WorkerHandle::restart) asked for do not.
    ///
    /// The worker's error is [`WorkerError::RestartLimit`] then, and its client is disconnected.
    pub fn restart_limit(mut self, most: u32, within: Duration) -> Self {
        self.restart_limit = Some(RestartLimit::new(most, within));
        self
    }

    /// Sets a closure for logging. It receives every unasked end of a process, and every failed attempt
    /// to restart. It runs on the supervising thread, which does nothing else meanwhile. So a closure
    /// that waits for the worker's end, or stops it, waits for its own thread.
    pub fn on_failure(mut self, told: impl FnMut(&WorkerError) + Send + 'static) -> Self {
        self.on_failure = Some(Box::new(told));
        self
    }

    /// Sets whether what the process writes to standard error also goes to this process's; by default
    /// not. The end of it is kept for errors in any case.
    pub fn forward_stderr(mut self, forward: bool) -> Self {
        self.forward_stderr = forward;
        self
    }

    /// Sets whether the process leads its own process group; by default it does. Without one, the signals of a
    /// terminal reach the worker as they reach its parent. A worker that has been stopped by a signal then ends
    /// with its parent only once it continues. Some processes that it leaves behind cannot be distinguished
    /// from a worker then: see [`is_worker`](super::is_worker).
    pub fn own_process_group(mut self, own: bool) -> Self {
        self.own_process_group = own;
        self
    }

    /// Puts the name into this directory: see [`Mmf::in_dir`](crate::Mmf::in_dir).
    pub fn in_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.dir = Some(path.into());
        self
    }

    /// Starts the process, and blocks the thread until the service answers. The process starts with the
    /// signal mask of this thread. In a handler, it starts with the mask that the program had when it
    /// started the server.
    ///
    /// A process that was started as a worker may start workers only while it [serves](super::serve):
    /// otherwise its program could start itself endlessly. A service with its own workers starts them
    /// where it is made, in the closure of [`serve_with`](super::serve_with), or in its handlers.
    ///
    /// Workers may be nested 8 levels deep. The environment carries the level, in the variable
    /// `WITRPC_WORKER`. Any program that a worker starts can have workers too, and counts from the
    /// worker's level. Remove the variable from its environment to let it count from the top.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] says whether the process did not start, did not serve, or ended, and how. No
    /// process is left then. Nothing was started where the error is one of these:
    ///
    /// - [`WorkerError::MustServeFirst`]: this process is a worker that does not serve yet;
    /// - [`WorkerError::ServesNoMore`]: it is a worker whose [`serve`](super::serve) has returned, or
    ///   whose parent has gone;
    /// - [`WorkerError::NestedTooDeep`]: it stands at the limit.
    ///
    /// # Panics
    ///
    /// Panics if the closure given to [`client`](Self::client) panics. The process is killed then.
    pub fn spawn(self) -> Result<Worker<C>, WorkerError> {
        self.spawn_kept_by(&Arc::new(Supervisor::new()))
    }

    fn spawn_kept_by(mut self, supervisor: &Arc<Supervisor>) -> Result<Worker<C>, WorkerError> {
        refuse_to_start(&self.command.get_program().to_string_lossy())?;
        if self.own_process_group {
            self.command.process_group(0);
        }
        let has_signal_mask = restore_elsewhere(&mut self.command);
        let assignment = Assignment::new(self.dir.as_deref()).map_err(|why| WorkerError::Io {
            doing: "make the worker's token",
            source: io::Error::other(why),
        })?;
        let (place, token) = (assignment.place(), assignment.token.clone());
        let mut plan = ProcessPlan {
            command: self.command,
            assignment,
            start_timeout: self.start_timeout,
            forward_stderr: self.forward_stderr,
            own_process_group: self.own_process_group,
            restart: self.restart,
            restart_limit: self.restart_limit,
            on_failure: self.on_failure,
            has_signal_mask,
        };
        let process = plan.start(supervisor)?;
        supervisor.keep(plan, process)?;
        // The user's code decides how to connect. If it panics, no `Worker` exists that would end the
        // process.
        let mut abandoned = KillIfDropped(Some(Arc::clone(supervisor)));
        match (self.connect)(place.clone(), token.clone(), self.restart, self.client) {
            Ok((client, connection)) => {
                if !supervisor.connected(&connection) {
                    connection.disconnect();
                }
                let worker = Worker::new(client, place, token, Arc::clone(supervisor));
                abandoned.0 = None;
                Ok(worker)
            }
            Err(source) => {
                drop(abandoned);
                supervisor.wait_ended();
                Err(WorkerError::Connect { source })
            }
        }
    }

    /// Does what [`spawn`](Self::spawn) does, on a short-lived thread. Any executor can poll the
    /// future. Dropping the future kills the process at once, even if it already serves.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn), in the task that polls.
    pub async fn spawn_async(self) -> Result<Worker<C>, WorkerError>
    where
        C: Send + 'static,
    {
        let refused = |source| WorkerError::Io { doing: "start a thread", source };
        let supervisor = Arc::new(Supervisor::new());
        let mut abandoned = KillIfDropped(Some(Arc::clone(&supervisor)));
        let spawned = offload("witrpc-spawn", move || self.spawn_kept_by(&supervisor)).await;
        abandoned.0 = None;
        spawned.map_err(refused)?
    }
}

/// A guard that ends a worker whose start is abandoned: because its future is dropped, or by a panic.
struct KillIfDropped(Option<Arc<Supervisor>>);

impl Drop for KillIfDropped {
    fn drop(&mut self) {
        if let Some(supervisor) = &self.0 {
            supervisor.dismiss(|pid_fd| pid_fd.kill());
        }
    }
}

impl<C> fmt::Debug for WorkerBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("command", &self.command)
            .field("dir", &self.dir)
            .field("start_timeout", &self.start_timeout)
            .field("forward_stderr", &self.forward_stderr)
            .field("own_process_group", &self.own_process_group)
            .field("restart", &self.restart)
            .field("restart_limit", &self.restart_limit)
            .finish_non_exhaustive()
    }
}
