//! Errors of worker processes, on both sides of the line.

use std::time::Duration;
use std::{fmt, io};

use thiserror::Error;
use witrpc_transport::ResourceError;

use super::remedy::remedy;
use super::{BindError, ConnectError, WorkerExit};

/// The reason why a worker did not start, or stopped serving.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// This process was started as a worker itself and does not serve yet. Nothing was started.
    #[error(
        "the worker {program:?} was not started, because this process is a worker itself and does \
         not serve yet: call witrpc::worker::serve or serve_with at the beginning of main if \
         witrpc::worker::is_worker() says so, and start a worker's own workers in the closure of \
         serve_with"
    )]
    MustServeFirst {
        /// The program of the command.
        program: String,
    },
    /// This process was started as a worker itself and has stopped serving. Nothing was started.
    #[error(
        "the worker {program:?} was not started, because this process is a worker itself and does \
         not serve any more (witrpc::worker::serve has returned, or its parent has gone): end this \
         process, and start a worker's own workers while it serves, in the closure of serve_with or \
         in a handler"
    )]
    ServesNoMore {
        /// The program of the command.
        program: String,
    },
    /// This process belongs to a worker at the deepest level allowed. Nothing was started.
    #[error(
        "the worker {program:?} was not started, because this process belongs to a worker that is \
         nested {limit} levels deep, and the limit is {limit}: see that the program does not start \
         itself without end, for example because a wrapper replaces the standard input that \
         witrpc::worker::is_worker() looks at; a program that is to count from the top is started \
         without WITRPC_WORKER in its environment"
    )]
    NestedTooDeep {
        /// The program of the command.
        program: String,
        /// How many levels there may be.
        limit: u32,
    },
    /// No process could be started.
    #[error("the worker {program:?} could not be started: {source}; {}", start_remedy(.source))]
    Spawn {
        /// The program of the command.
        program: String,
        /// The system's error.
        source: io::Error,
    },
    /// The process ended before it served.
    #[error("the worker ended before it served{}: {exit}", serve_remedy(.exit))]
    Exited {
        /// How it ended.
        exit: WorkerExit,
    },
    /// The process reports that its server cannot start.
    #[error("the worker's process started and cannot serve: {problem}")]
    CannotServe {
        /// The reason, as its [`ServeError`] words it.
        problem: String,
        /// How it ended.
        exit: WorkerExit,
    },
    /// The process did not serve in time, and was killed.
    #[error(
        "the worker did not serve within {after:?}: make sure that its program calls \
         witrpc::worker::serve, or allow more with start_timeout{}", Quoted(.exit)
    )]
    NotServing {
        /// The time allowed.
        after: Duration,
        /// How it ended.
        exit: WorkerExit,
    },
    /// The process ended while it served.
    #[error("the worker has ended: {exit}")]
    Ended {
        /// How it ended.
        exit: WorkerExit,
    },
    /// More restarts would have been needed than [`WorkerBuilder::restart_limit`](crate::WorkerBuilder::restart_limit)
    /// allows. The worker has ended for good.
    #[error(
        "the worker is not started again, because it has been {most} times within {within:?}: find out why \
         its processes end, or allow more with restart_limit; the last one: {last}"
    )]
    RestartLimit {
        /// How many restarts the limit allows.
        most: u32,
        /// Within what time.
        within: Duration,
        /// Why the last process ended, or did not start.
        last: Box<WorkerError>,
    },
    /// The worker serves, but its client could not connect.
    #[error("the worker serves, but its client cannot connect: {source}")]
    Connect {
        /// The error of the client.
        source: ConnectError,
    },
    /// This process cannot watch a worker. No process is left.
    #[error("this process cannot have a worker: {0}")]
    Resource(ResourceError),
    /// The operating system refused a call.
    #[error("could not {doing}: {source}; {}", remedy(.source))]
    Io {
        /// What the parent was doing, as in "could not ..": `watch the worker`.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl WorkerError {
    /// Returns how the process ended, if there was one.
    #[must_use]
    pub fn exit(&self) -> Option<&WorkerExit> {
        match self {
            Self::Exited { exit }
            | Self::CannotServe { exit, .. }
            | Self::NotServing { exit, .. }
            | Self::Ended { exit } => Some(exit),
            Self::RestartLimit { last, .. } => last.exit(),
            Self::MustServeFirst { .. }
            | Self::ServesNoMore { .. }
            | Self::NestedTooDeep { .. }
            | Self::Spawn { .. }
            | Self::Connect { .. }
            | Self::Resource(_)
            | Self::Io { .. } => None,
        }
    }

    /// Returns whether no process may follow.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::RestartLimit { .. })
    }
}

/// Returns the advice for a program that exited successfully: it was not written to serve.
fn serve_remedy(exit: &WorkerExit) -> &'static str {
    match exit.status() {
        Some(status) if status.success() => {
            "; make sure that its program calls witrpc::worker::serve before anything else"
        }
        _ => "",
    }
}

fn start_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "give the path of a program that exists",
        io::ErrorKind::PermissionDenied => "make sure that this user may execute it",
        _ => remedy(error),
    }
}

/// The end of a process's standard error, if it wrote any.
struct Quoted<'a>(&'a WorkerExit);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.stderr().is_empty() { Ok(()) } else { self.0.fmt_last_words(f) }
    }
}

/// The reason why a worker's program cannot serve its parent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The process was not started by a [`Worker`](crate::Worker), or serves already.
    #[error(
        "this process is not a worker that waits for its assignment: have its parent start it with \
         witrpc::Worker::spawn, and call serve once, before anything reads standard input"
    )]
    NotAWorker,
    /// The parent's assignment cannot be read.
    #[error(
        "the assignment of this worker cannot be read ({problem}): build parent and worker with \
         the same version of witrpc"
    )]
    Assignment {
        /// The reason.
        problem: String,
    },
    /// The server cannot start.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system refused a call.
    #[error("could not {doing}: {source}; {}", remedy(.source))]
    Io {
        /// What the worker was doing, as in "could not ..": `take the line to the parent`.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use crate::error::assert_is_sentence;

    use super::*;

    fn exit() -> WorkerExit {
        WorkerExit::new(Some(ExitStatus::from_raw(9)), String::new())
    }

    #[test]
    fn every_error_is_a_sentence() {
        let not_found = || io::Error::from(io::ErrorKind::NotFound);
        for error in [
            WorkerError::MustServeFirst { program: "render".to_owned() },
            WorkerError::ServesNoMore { program: "render".to_owned() },
            WorkerError::NestedTooDeep { program: "render".to_owned(), limit: 8 },
            WorkerError::Spawn { program: "render".to_owned(), source: not_found() },
            WorkerError::Exited { exit: exit() },
            WorkerError::CannotServe { problem: "oh: no".to_owned(), exit: exit() },
            WorkerError::NotServing { after: Duration::from_secs(1), exit: exit() },
            WorkerError::Ended { exit: exit() },
            WorkerError::RestartLimit {
                most: 3,
                within: Duration::from_secs(1),
                last: Box::new(WorkerError::Ended { exit: exit() }),
            },
            WorkerError::Connect { source: ConnectError::TooManyClients },
            WorkerError::Resource(ResourceError::Refused { call: "oh".to_owned(), errno: 1 }),
            WorkerError::Io { doing: "watch the worker", source: not_found() },
        ] {
            assert_is_sentence(&error.to_string());
        }
        for error in [
            ServeError::NotAWorker,
            ServeError::Assignment { problem: "oh".to_owned() },
            ServeError::Bind(BindError::NoService),
            ServeError::Io { doing: "take the line", source: not_found() },
        ] {
            assert_is_sentence(&error.to_string());
        }
    }

    #[test]
    fn last_words_are_quoted_where_there_are_any() {
        let exit = WorkerExit::new(None, "loading\nstill loading".to_owned());
        let error = WorkerError::NotServing { after: Duration::from_secs(1), exit };
        assert!(error.to_string().ends_with(":\n  | loading\n  | still loading"), "{error}");
    }
}
