//! Supervises a worker: notices the end of its process, and starts the next if that is wanted.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use witrpc_rt::{WakerSet, lock, wait_until};

use crate::backoff::Backoff;
use crate::connection::handle::Connection;
use crate::error::{WorkerError, WorkerExit};
use crate::rt::{SignalMask, Timer, spawn};

use super::assignment::{Assignment, Report};
use super::process::{Event, PidFd, Process};
use super::restart_limit::RestartLimit;

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerState {
    /// It serves.
    Serving {
        /// The number of its process.
        pid: u32,
    },
    /// Its process has ended, and the next one does not serve yet.
    Restarting,
    /// Its process has ended, and there will be no other.
    Ended,
}

/// How to start a worker's processes, and whether others follow.
pub struct ProcessPlan {
    pub command: Command,
    pub assignment: Assignment,
    pub start_timeout: Duration,
    pub forward_stderr: bool,
    pub own_process_group: bool,
    pub restart: Option<Backoff>,
    /// How many processes may follow; `None` without a bound.
    pub restart_limit: Option<RestartLimit>,
    pub on_failure: Option<OnFailure>,
    /// Whether the command has its own signal mask, whichever thread starts it.
    pub has_signal_mask: bool,
}

pub type OnFailure = Box<dyn FnMut(&WorkerError) + Send>;

impl ProcessPlan {
    /// Starts a process, and returns once it serves.
    pub fn start(&mut self, supervisor: &Supervisor) -> Result<Process, WorkerError> {
        let Self { command, assignment, forward_stderr, own_process_group, .. } = self;
        let mut process = Process::start(command, assignment, *forward_stderr, *own_process_group)?;
        supervisor.hold(&process.pid_fd);
        let until = Instant::now().checked_add(self.start_timeout);
        match process.wait(until) {
            Ok(Event::Reported(Report::Serving)) => Ok(process),
            Ok(Event::Reported(Report::Failed(problem))) => {
                Err(WorkerError::CannotServe { problem, exit: process.kill() })
            }
            Ok(Event::Ended) => Err(WorkerError::Exited { exit: process.reap() }),
            Ok(Event::TimedOut) => {
                let after = self.start_timeout;
                Err(WorkerError::NotServing { after, exit: process.kill() })
            }
            Err(source) => Err(WorkerError::Io { doing: "watch the worker", source }),
        }
    }

    fn report(&mut self, failure: &WorkerError) {
        if let Some(on_failure) = &mut self.on_failure {
            // The panic hook has reported the panic. The worker continues all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| on_failure(failure)));
        }
    }
}

/// The state that a [`Worker`](super::Worker) and the supervising thread share.
pub struct Supervisor {
    shared: Mutex<SupervisorShared>,
    changed: Condvar,
    /// Tasks that wait for the end.
    waiters: WakerSet,
}

struct SupervisorShared {
    state: WorkerState,
    /// Of the present process, whether it serves yet or not.
    pid_fd: Option<Arc<PidFd>>,
    /// The worker is not wanted any more.
    unwanted: bool,
    /// A process is to follow the present one, without a pause. Set by [`Supervisor::restart`].
    is_restart_asked: bool,
    /// Whether a process follows one that has ended.
    restarts_by_itself: bool,
    restarts: u64,
    failure: Option<Arc<WorkerError>>,
    /// How the last process ended.
    status: Option<ExitStatus>,
    /// The client's connection, until the worker is unwanted.
    connection: Option<Connection>,
}

impl SupervisorShared {
    fn has_ended(&self) -> bool {
        self.state == WorkerState::Ended
    }
}

impl Supervisor {
    pub fn new() -> Self {
        let shared = SupervisorShared {
            state: WorkerState::Restarting,
            pid_fd: None,
            unwanted: false,
            is_restart_asked: false,
            restarts_by_itself: false,
            restarts: 0,
            failure: None,
            status: None,
            connection: None,
        };
        Self { shared: Mutex::new(shared), changed: Condvar::new(), waiters: WakerSet::default() }
    }

    /// Starts the thread that supervises a worker whose first process serves.
    pub fn keep(
        self: &Arc<Self>,
        mut plan: ProcessPlan,
        process: Process,
    ) -> Result<(), WorkerError> {
        self.serves(&process.pid_fd, plan.restart.is_some());
        if plan.restart.is_some() && !plan.has_signal_mask {
            // The thread that starts the next process has another mask than this one.
            SignalMask::of_program().inherited_by(&mut plan.command);
        }
        let supervisor = Arc::clone(self);
        spawn("witrpc-worker", move || supervisor.run(plan, process))
            .map(drop)
            .map_err(|source| WorkerError::Io { doing: "start a thread", source })
    }

    fn run(&self, mut plan: ProcessPlan, mut process: Process) {
        let mut pauses = plan.restart.map(Backoff::pauses);
        loop {
            let since = Instant::now();
            let exit = to_its_end(process);
            let mut lasted = since.elapsed();
            let mut failure = WorkerError::Ended { exit };
            process = loop {
                let is_asked = self.take_restart() || self.is_unwanted();
                if !is_asked {
                    failure = self.within_limit(&mut plan, failure);
                    plan.report(&failure);
                }
                let may_restart = pauses.is_some() && !failure.is_final();
                self.has_failed(failure, may_restart);
                let Some(pauses) = pauses.as_mut().filter(|_| may_restart) else { return };
                let pause = if is_asked { Duration::ZERO } else { pauses.after(lasted) };
                if !self.pause(pause) {
                    return;
                }
                match plan.start(self) {
                    Ok(process) => break process,
                    Err(error) => failure = error,
                }
                lasted = Duration::ZERO;
            };
            self.has_restarted(&process.pid_fd);
        }
    }

    /// Notes a process that has just been started, and kills it if the worker is unwanted.
    fn hold(&self, pid_fd: &Arc<PidFd>) {
        let mut shared = lock(&self.shared);
        if shared.unwanted {
            pid_fd.kill();
        }
        shared.pid_fd = Some(Arc::clone(pid_fd));
    }

    fn serves(&self, pid_fd: &PidFd, restarts_by_itself: bool) {
        let mut shared = lock(&self.shared);
        shared.state = WorkerState::Serving { pid: pid_fd.pid };
        shared.restarts_by_itself = restarts_by_itself;
        drop(shared);
        self.changed.notify_all();
    }

    /// Kills the present process, and has the next one started at once. Returns `false` if none follows.
    pub fn restart(&self) -> bool {
        let mut shared = lock(&self.shared);
        if shared.unwanted || shared.has_ended() || !shared.restarts_by_itself {
            return false;
        }
        shared.is_restart_asked = true;
        if let Some(pid_fd) = &shared.pid_fd {
            pid_fd.kill();
        }
        drop(shared);
        self.changed.notify_all();
        true
    }

    /// Returns whether the end of the process was asked for, so that the next one follows.
    fn take_restart(&self) -> bool {
        std::mem::take(&mut lock(&self.shared).is_restart_asked)
    }

    /// Returns the failure, or that the limit of restarts is reached with it. Then the worker is unwanted.
    fn within_limit(&self, plan: &mut ProcessPlan, failure: WorkerError) -> WorkerError {
        let Some(limit) = plan.restart_limit.as_mut().filter(|_| plan.restart.is_some()) else {
            return failure;
        };
        if limit.allows(Instant::now()) {
            return failure;
        }
        // Otherwise its client would look for the next process without end.
        self.dismiss(|_| ());
        WorkerError::RestartLimit {
            most: limit.most,
            within: limit.within,
            last: Box::new(failure),
        }
    }

    /// Counts a restart and sets the state under one hold of the lock, so that both are seen together.
    fn has_restarted(&self, pid_fd: &PidFd) {
        let mut shared = lock(&self.shared);
        shared.restarts += 1;
        shared.state = WorkerState::Serving { pid: pid_fd.pid };
        self.changed.notify_all();
    }

    fn has_failed(&self, failure: WorkerError, may_restart: bool) {
        let mut shared = lock(&self.shared);
        shared.pid_fd = None;
        shared.status = failure.exit().and_then(WorkerExit::status);
        shared.failure = Some(Arc::new(failure));
        shared.state = match may_restart && !shared.unwanted {
            true => WorkerState::Restarting,
            false => WorkerState::Ended,
        };
        self.tell(shared);
    }

    /// Waits for `time`, unless the worker becomes unwanted or a restart is asked for. Returns whether it is
    /// still wanted.
    fn pause(&self, time: Duration) -> bool {
        let until = Instant::now().checked_add(time);
        let is_over = |shared: &SupervisorShared| shared.unwanted || shared.is_restart_asked;
        let (mut shared, _) = wait_until(&self.changed, lock(&self.shared), until, is_over);
        // The next process has not begun, so the request has nothing more to end.
        shared.is_restart_asked = false;
        let unwanted = shared.unwanted;
        if unwanted {
            shared.state = WorkerState::Ended;
        }
        self.tell(shared);
        !unwanted
    }

    /// Wakes the threads and tasks that wait for a change, after it.
    fn tell(&self, shared: MutexGuard<'_, SupervisorShared>) {
        let has_ended = shared.has_ended();
        drop(shared);
        self.changed.notify_all();
        if has_ended {
            self.waiters.wake_all();
        }
    }

    /// Takes the connection, which is closed when the worker becomes unwanted. Returns `false` if it is
    /// unwanted already.
    pub fn connected(&self, connection: &Connection) -> bool {
        let mut shared = lock(&self.shared);
        if !shared.unwanted {
            shared.connection = Some(connection.clone());
        }
        !shared.unwanted
    }

    /// Closes the connection. Then runs `end` on the present process, after which no other is started.
    pub fn dismiss(&self, end: impl FnOnce(&PidFd)) {
        let connection = {
            let mut shared = lock(&self.shared);
            shared.unwanted = true;
            shared.connection.take()
        };
        // Before the end of the process, which the clients would otherwise take for a crash.
        if let Some(connection) = connection {
            connection.disconnect();
        }
        let shared = lock(&self.shared);
        if let Some(pid_fd) = &shared.pid_fd {
            end(pid_fd);
        }
        self.changed.notify_all();
    }

    /// Waits until the worker has ended for good and its last process is reaped.
    pub fn wait_ended(&self) {
        self.wait_ended_until(None);
    }

    /// Waits as [`wait_ended`](Self::wait_ended), for at most `time`. Returns whether the worker has
    /// ended.
    pub fn wait_ended_for(&self, time: Duration) -> bool {
        self.wait_ended_until(Instant::now().checked_add(time))
    }

    fn wait_ended_until(&self, until: Option<Instant>) -> bool {
        wait_until(&self.changed, lock(&self.shared), until, SupervisorShared::has_ended).1
    }

    /// Waits as a task until the worker has ended for good and its last process is reaped.
    pub async fn ended(&self) {
        self.waiters.until(|| lock(&self.shared).has_ended()).await;
    }

    /// Waits as [`ended`](Self::ended), for at most `time`. Returns whether the worker has ended.
    pub async fn ended_within(&self, time: Duration) -> bool {
        let Some(until) = Instant::now().checked_add(time) else {
            self.ended().await;
            return true;
        };
        let (timer, mut alarm) = (Timer::default(), None);
        let mut ended = pin!(self.ended());
        poll_fn(|cx| {
            if ended.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            timer.poll_until(until, cx, &mut alarm).map(|()| false)
        })
        .await
    }

    pub fn state(&self) -> WorkerState {
        lock(&self.shared).state
    }

    pub fn restarts(&self) -> u64 {
        lock(&self.shared).restarts
    }

    pub fn failure(&self) -> Option<Arc<WorkerError>> {
        lock(&self.shared).failure.clone()
    }

    pub fn status(&self) -> Option<ExitStatus> {
        lock(&self.shared).status
    }

    fn is_unwanted(&self) -> bool {
        lock(&self.shared).unwanted
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state().fmt(f)
    }
}

/// Watches a process until it has ended.
fn to_its_end(mut process: Process) -> WorkerExit {
    loop {
        match process.wait(None) {
            Ok(Event::Ended) => return process.reap(),
            // It only says that it serves, and without a limit nothing times out.
            Ok(Event::Reported(_) | Event::TimedOut) => {}
            // It cannot be watched, so it must not continue.
            Err(_) => return process.kill(),
        }
    }
}
