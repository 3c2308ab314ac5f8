//! One process of a worker: starts it, watches it, reaps it.

use std::io;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use witrpc_transport::ResourceError;

use crate::endpoint::mmf::Descriptor;
use crate::error::{WorkerError, WorkerExit};

use super::assignment::{Assignment, Report, read_report, whole_body};
use super::nesting::{LINE, NamedLine};
use super::stderr_tail::StderrTail;

/// How many bytes to read at most from a process that has ended: what its pipe can hold. Another
/// process may have inherited the pipe and may keep writing.
const LAST_READ: usize = 1 << 20;

/// A process, from its start until it is reaped. Dropping it kills it.
pub struct Process {
    child: Child,
    pub pid_fd: Arc<PidFd>,
    /// Its standard error, until no process can write to it any more.
    errors: Option<ChildStderr>,
    forward: bool,
    stderr_tail: StderrTail,
    /// What has arrived over the line, until it is a report.
    heard: Vec<u8>,
    /// Whether a report may still come.
    listening: bool,
    reaped: bool,
}

/// The descriptors by which any thread ends a process. A forked child of this process has neither
/// descriptor.
#[derive(Debug)]
pub struct PidFd {
    pub pid: u32,
    process: Descriptor,
    line: Descriptor,
}

impl PidFd {
    /// Kills it, whatever it does. Does nothing if it has ended: the descriptor cannot mean another
    /// process that has its number by now.
    pub fn kill(&self) {
        // An error means that it has ended.
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
    }

    /// Makes it end by itself.
    pub fn hang_up(&self) {
        // An error means that it has hung up.
        let _ = shutdown(&self.line, Shutdown::Both);
    }
}

/// The event that ended a wait.
pub enum Event {
    Reported(Report),
    Ended,
    TimedOut,
}

impl Process {
    /// Starts a process and gives it its assignment.
    pub fn start(
        command: &mut Command,
        assignment: &Assignment,
        forward: bool,
        leads_group: bool,
    ) -> Result<Self, WorkerError> {
        let (line, theirs) = open_line(assignment).map_err(system("make a line to the worker"))?;
        let name = NamedLine::of_worker(&theirs, leads_group);
        let name = name.map_err(system("look at the line to the worker"))?;
        command.env(LINE, name.to_string()).stdin(theirs).stderr(Stdio::piped());
        let started = command.spawn();
        // Otherwise the command would keep this process's copy of the worker's end until its next
        // standard input.
        command.stdin(Stdio::null());
        let mut child = started.map_err(|source| WorkerError::Spawn {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        let watched = (|| -> Result<_, WorkerError> {
            let errors = child.stderr.take();
            if let Some(errors) = &errors {
                ioctl_fionbio(errors, true).map_err(unwatched)?;
            }
            let pidfd = || pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
            let process = Descriptor::open(pidfd).map_err(|errno| match errno {
                Errno::PERM | Errno::NOSYS => WorkerError::Resource(ResourceError::Refused {
                    call: "pidfd_open".to_owned(),
                    errno: errno.raw_os_error(),
                }),
                other => unwatched(other),
            })?;
            Ok((errors, Arc::new(PidFd { pid: child.id(), process, line })))
        })();
        let (errors, pid_fd) = match watched {
            Ok(watched) => watched,
            Err(refused) => {
                // It may have ended; only this process reaps it.
                let _ = child.kill().and_then(|()| child.wait());
                return Err(refused);
            }
        };
        let stderr_tail = StderrTail::default();
        let (heard, listening, reaped) = (Vec::new(), true, false);
        Ok(Self { child, pid_fd, errors, forward, stderr_tail, heard, listening, reaped })
    }

    /// Waits for the next event, and meanwhile reads what the process writes.
    pub fn wait(&mut self, until: Option<Instant>) -> io::Result<Event> {
        loop {
            let ready = self.poll(until)?;
            if ready.errors {
                self.read_errors();
            }
            // Check this before the end: a process that cannot serve reports why, and ends.
            if ready.line
                && let Some(report) = self.listen()
            {
                self.listening = false;
                return Ok(Event::Reported(report));
            }
            if ready.process {
                return Ok(Event::Ended);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Event::TimedOut);
            }
        }
    }

    /// Reaps a process that has ended, or is about to.
    pub fn reap(mut self) -> WorkerExit {
        let status = self.child.wait().ok();
        self.reaped = true;
        let mut rest = LAST_READ;
        while rest > 0
            && let read @ 1.. = self.read_errors()
        {
            rest = rest.saturating_sub(read);
        }
        WorkerExit::new(status, self.stderr_tail.text())
    }

    /// Kills and reaps it.
    pub fn kill(self) -> WorkerExit {
        self.pid_fd.kill();
        self.reap()
    }

    fn poll(&self, until: Option<Instant>) -> Result<Ready, Errno> {
        let mut polled = vec![PollFd::new(&self.pid_fd.process, PollFlags::IN)];
        if self.listening {
            polled.push(PollFd::new(&self.pid_fd.line, PollFlags::IN));
        }
        if let Some(errors) = &self.errors {
            polled.push(PollFd::new(errors, PollFlags::IN));
        }
        let timeout = until.map(|until| {
            let rest = until.saturating_duration_since(Instant::now());
            Timespec::try_from(rest).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
        });
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready::default()),
            Err(errno) => return Err(errno),
        }
        let mut happened = polled.iter().map(|polled| !polled.revents().is_empty());
        let mut next_if = |is_polled: bool| is_polled && happened.next().unwrap_or(false);
        Ok(Ready {
            process: next_if(true),
            line: next_if(self.listening),
            errors: next_if(self.errors.is_some()),
        })
    }

    /// Reads some of its standard error. Returns how many bytes.
    fn read_errors(&mut self) -> usize {
        let mut part = [0; 4096];
        let read = match &self.errors {
            Some(errors) => rustix::io::read(errors, &mut part),
            None => Ok(0),
        };
        match read {
            Ok(len @ 1..) => {
                self.stderr_tail.push(&part[..len]);
                if self.forward {
                    // If this process's standard error is closed, the text is lost.
                    let _ = io::stderr().write_all(&part[..len]);
                }
                len
            }
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Ok(0) | Err(_) => {
                self.errors = None;
                0
            }
        }
    }

    /// Reads what has arrived over the line. Returns the report, once it is complete.
    fn listen(&mut self) -> Option<Report> {
        let mut part = [0; 4096];
        match recv(&self.pid_fd.line, &mut part, RecvFlags::DONTWAIT) {
            Ok((_, len @ 1..)) => self.heard.extend_from_slice(&part[..len]),
            Err(Errno::AGAIN | Errno::INTR) => return None,
            // No process holds the other end. The process may be ending, or may not be a worker at all.
            Ok((_, 0)) | Err(_) => {
                self.listening = false;
                return None;
            }
        }
        let body = match whole_body(&self.heard) {
            Ok(body) => body?,
            Err(problem) => return Some(not_a_report(&problem)),
        };
        Some(read_report(body).unwrap_or_else(|problem| not_a_report(&problem)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.pid_fd.kill();
            // It has been killed, so this does not take long. An error means that it is gone.
            let _ = self.child.wait();
        }
    }
}

#[derive(Default)]
struct Ready {
    process: bool,
    line: bool,
    errors: bool,
}

fn not_a_report(problem: &str) -> Report {
    Report::Failed(format!(
        "what it writes to its standard input is no report ({problem}): see that its program calls \
         witrpc::worker::serve, of the same version of witrpc"
    ))
}

/// Creates a line with the assignment in it. Returns the parent's end and the worker's.
fn open_line(assignment: &Assignment) -> io::Result<(Descriptor, OwnedFd)> {
    let (ours, theirs) = Descriptor::open_with(|register| {
        // Both are closed on exec; the worker gets a copy that is not.
        UnixStream::pair().map(|(ours, theirs)| (register(ours.into()), theirs))
    })?;
    let frame = assignment.to_frame();
    let sent = send(&ours, &frame, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    if sent < frame.len() {
        return Err(io::Error::other("the assignment does not fit into the socket"));
    }
    Ok((ours, theirs.into()))
}

fn unwatched(errno: Errno) -> WorkerError {
    system("watch the worker")(errno.into())
}

fn system(doing: &'static str) -> impl FnOnce(io::Error) -> WorkerError {
    move |source| WorkerError::Io { doing, source }
}
