//! Whether this process was started as a worker, and whether it may start workers in turn.
//!
//! A program that is its own worker and does not serve would start itself without end. Two rules
//! bound that:
//!
//! 1. A process that knows that it is a worker starts workers only while it serves. Before, it may have
//!    forgotten to serve; afterwards, it should end.
//! 2. The environment counts the levels, and [`MAX_LEVELS`] is the last. This bounds the processes
//!    that cannot know: those behind a program that has replaced their standard input.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fmt, io};

use rustix::fs::fstat;
use rustix::process::{Pid, getpgrp, getpid, getppid};
use rustix::stdio::stdin;

use crate::error::WorkerError;

/// The variable in a worker's environment that describes its line, as a [`NamedLine`].
///
/// The processes that a worker starts inherit the variable, but neither the socket nor the parent, and so are
/// not workers. A process that outlives the worker may get the same parent, if that adopts orphans, as process
/// 1 of a container or a subreaper does. But it does not lead the worker's group.
pub const LINE: &str = "WITRPC_WORKER";

/// How deep workers may be nested. The limit is low: where each level starts several workers, the
/// processes multiply.
const MAX_LEVELS: u32 = 8;

/// Set once this process has taken its line.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Set once its `serve` has returned, or its parent has gone.
static OVER: AtomicBool = AtomicBool::new(false);

/// Returns whether this process was started as a worker, for a program that is its own worker.
///
/// A process that a worker starts is not a worker, with one exception. It may outlive the worker and be adopted
/// by the worker's parent (the first process of a container adopts orphans, as does a subreaper). Then it looks
/// like a worker whose standard input has been replaced. Only the process group tells the two apart. So it
/// counts as a worker if it leads a group too, or if the worker has [no
/// group](crate::WorkerBuilder::own_process_group). Then [`serve`](super::serve) fails because it is not a
/// worker, and it cannot start workers. A program that starts such processes should remove the variable
/// `WITRPC_WORKER` from their environment.
///
/// A worker behind a wrapper that replaces its standard input, as in `sh -c "program </dev/null; true"`, cannot
/// know that it is a worker. This returns `false` there. If its program starts itself as a worker, the [limit
/// of nesting](crate::WorkerBuilder::spawn) ends that chain.
#[must_use]
pub fn is_worker() -> bool {
    has_begun() || was_started_as_worker()
}

pub fn has_begun() -> bool {
    TAKEN.load(Ordering::Relaxed)
}

/// Refuses where this process may not start a worker, which would run this program.
pub fn refuse_to_start(program: &str) -> Result<(), WorkerError> {
    let program = || program.to_owned();
    if OVER.load(Ordering::Relaxed) {
        return Err(WorkerError::ServesNoMore { program: program() });
    }
    if !has_begun() && was_started_as_worker() {
        return Err(WorkerError::MustServeFirst { program: program() });
    }
    if level_of_this_process() >= MAX_LEVELS {
        return Err(WorkerError::NestedTooDeep { program: program(), limit: MAX_LEVELS });
    }
    Ok(())
}

/// Returns whether the environment names this process. Its standard input may have been replaced by
/// now, so its parent and its process group count too.
fn was_started_as_worker() -> bool {
    NamedLine::of_this_process().is_some_and(|line| line.is_here() || line.is_from_our_parent())
}

/// Returns how many workers there are from the top to this process. It includes this process, or the worker
/// that it descends from.
fn level_of_this_process() -> u32 {
    NamedLine::of_this_process().map_or(0, |line| line.level)
}

/// The time from taking the line until `serve` returns or panics.
pub struct Serving(());

impl Serving {
    pub fn begin() -> Self {
        TAKEN.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        serves_no_more();
    }
}

/// Makes this process start no more workers.
pub fn serves_no_more() {
    OVER.store(true, Ordering::Relaxed);
}

/// The content of [`LINE`]: `device:inode:pid:leads:level`. The first two are the device and inode of
/// the worker's standard input. `pid` is the process that started the worker. `leads` is 1 if the worker
/// leads a process group, else 0. `level` is 1 for a worker at the top.
pub struct NamedLine {
    socket: String,
    parent: Option<Pid>,
    leads_group: bool,
    level: u32,
}

impl NamedLine {
    /// Describes the line of a worker of this process.
    pub fn of_worker(socket: impl AsFd, leads_group: bool) -> io::Result<Self> {
        let (socket, parent) = (identity(socket)?, Some(getpid()));
        Ok(Self { socket, parent, leads_group, level: level_of_this_process() + 1 })
    }

    pub fn of_this_process() -> Option<Self> {
        Self::parse(&std::env::var(LINE).ok()?)
    }

    fn parse(named: &str) -> Option<Self> {
        let (rest, level) = named.rsplit_once(':')?;
        let (rest, leads_group) = rest.rsplit_once(':')?;
        let (socket, parent) = rest.rsplit_once(':')?;
        let parent = parent.parse().ok().and_then(Pid::from_raw);
        let (socket, leads_group) = (socket.to_owned(), leads_group == "1");
        Some(Self { socket, parent, leads_group, level: level.parse().ok()? })
    }

    pub fn is_here(&self) -> bool {
        identity(stdin()).is_ok_and(|found| found == self.socket)
    }

    fn is_from_our_parent(&self) -> bool {
        let leads_as_named = !self.leads_group || getpgrp() == getpid();
        self.parent.is_some() && getppid() == self.parent && leads_as_named
    }
}

impl fmt::Display for NamedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent.map_or(0, |pid| pid.as_raw_nonzero().get());
        write!(f, "{}:{parent}:{}:{}", self.socket, u8::from(self.leads_group), self.level)
    }
}

/// Returns what distinguishes a socket from all others, in the form of [`LINE`].
fn identity(socket: impl AsFd) -> io::Result<String> {
    let stat = fstat(socket)?;
    Ok(format!("{}:{}", stat.st_dev, stat.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = NamedLine::of_worker(std::io::stderr(), true).unwrap();
        let read = NamedLine::parse(&line.to_string()).unwrap();
        assert_eq!(read.socket, identity(std::io::stderr()).unwrap());
        assert_eq!((read.parent, read.leads_group), (Some(getpid()), true));
        assert_eq!(read.level, level_of_this_process() + 1);
    }

    #[test]
    fn what_names_no_line_is_none() {
        for named in ["", "8:15", "8:15:4711:1:", "8:15:4711:1:-1"] {
            assert!(NamedLine::parse(named).is_none(), "{named}");
        }
    }
}
