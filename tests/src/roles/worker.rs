//! The roles of workers, and of a process that has one.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use fork::Fork;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid,
};
use serde::{Deserialize, Serialize};
use witrpc::{Worker, worker};

use crate::basic::{BasicClient, BasicServer, Bench};
use crate::process::{Parent, peer_program};
use crate::watchdog::{PATIENCE, eventually};

use super::nested::Nested;

/// The duty of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Duty {
    /// Serves the basic service as long as its parent wants it.
    Serve,
    /// Does the same, but does not end when asked to.
    ServeAndLinger,
    /// Does the same, and leaves a file behind. A process that finds that file has the other duty.
    ServeOnce(PathBuf, Box<Duty>),
    /// Does the same, but first writes this many lines to its standard error.
    ServeTalking(u32),
    /// Does the same, with two children. One checks that it is not a worker; the other keeps
    /// standard error open until standard output ends.
    ServeWithChildren,
    /// Does the same, with a child that outlives it and then writes into this file whether it is a
    /// worker.
    ServeLeaving(PathBuf),
    /// Waits until its parent is not this process, and writes into the file whether it is a worker.
    Outlive(PathBuf, u32),
    /// Starts its own worker, whose process id is in this file when it begins to serve.
    ServeOwning(PathBuf),
    /// Starts a worker instead of serving, with or without its standard input. Ends with 0 if it
    /// can; otherwise writes the reason and ends with 3.
    StartFirst {
        /// Whether the standard input is closed.
        closed: bool,
    },
    /// Tries to start a worker elsewhere.
    Nested(Nested),
    /// Cannot serve: its server is refused.
    ServeBadly,
    /// Writes this to its standard error and ends with this status.
    Exit(i32, String),
    /// Does nothing, with or without its standard input.
    Idle {
        /// Whether the standard input is closed.
        closed: bool,
    },
    /// Sends invalid bytes to its parent.
    Babble,
    /// Ends with 1 if it is a worker.
    FindOut,
}

impl Duty {
    /// Returns a command that does it.
    ///
    /// # Panics
    ///
    /// Never: a duty is data.
    pub fn command(&self) -> Command {
        let mut command = Command::new(peer_program());
        command.arg(serde_json::to_string(self).expect("a duty is data"));
        command
    }

    /// Returns the duty that this process was started for.
    pub(super) fn of_this_process() -> Option<Self> {
        let duty = std::env::args().nth(1)?;
        Some(serde_json::from_str(&duty).expect("only tests start this program"))
    }

    /// Does it.
    pub(super) fn perform(self) {
        match self {
            Duty::Serve => serve(),
            Duty::ServeAndLinger => {
                serve();
                forever();
            }
            Duty::ServeOnce(file, then) => match File::create_new(&file) {
                Ok(_) => serve(),
                Err(_) => then.perform(),
            },
            Duty::ServeTalking(lines) => {
                (0..lines).for_each(|line| eprintln!("this is line {line}"));
                serve();
            }
            Duty::ServeWithChildren => worker::serve_with(|server, _| {
                start_children();
                server.service(BasicServer::new(Bench::default()))
            })
            .expect("it is a worker"),
            Duty::ServeLeaving(file) => worker::serve_with(|server, _| {
                let mut outlives = Duty::Outlive(file, std::process::id()).command();
                let mut outlives = outlives.stdin(Stdio::null()).spawn().expect("it starts");
                thread::spawn(move || outlives.wait());
                server.service(BasicServer::new(Bench::default()))
            })
            .expect("it is a worker"),
            Duty::Outlive(file, parent) => outlive(&file, parent),
            Duty::ServeOwning(file) => serve_owning(&file),
            Duty::StartFirst { closed } => {
                if closed {
                    close_input();
                }
                Nested::Employ(Box::new(Duty::Serve)).perform();
            }
            Duty::Nested(nested) => nested.perform(),
            Duty::ServeBadly => {
                let served = worker::serve_with(|server, _| {
                    server.service(BasicServer::new(Bench::default())).max_workers(0)
                });
                served.expect_err("there are no threads");
            }
            Duty::Exit(code, words) => {
                eprintln!("{words}");
                std::process::exit(code);
            }
            Duty::Idle { closed } => {
                if closed {
                    close_input();
                }
                forever();
            }
            Duty::Babble => {
                let line = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
                std::io::Write::write_all(&mut File::from(line), b"hello there").expect("it is");
                forever();
            }
            Duty::FindOut => std::process::exit(worker::is_worker().into()),
        }
    }
}

fn serve() {
    worker::serve(BasicServer::new(Bench::default())).expect("it is a worker");
}

fn serve_owning(file: &Path) {
    let mut own = None;
    let served = worker::serve_with(|server, _| {
        let worker = Worker::<BasicClient>::spawn(Duty::Serve.command());
        let worker = own.insert(worker.expect("a worker that serves may have workers"));
        let pid = worker.client().who_serves().expect("it serves");
        fs::write(file, pid.to_string()).expect("the test has made the directory");
        server.service(BasicServer::new(Bench::default()))
    });
    served.expect("it is a worker");
}

fn outlive(file: &Path, parent: u32) {
    let parent = rustix::process::Pid::from_raw(parent as i32);
    eventually("its parent ends", || rustix::process::getppid() != parent);
    let told = file.with_extension("tmp");
    fs::write(&told, worker::is_worker().to_string()).expect("the test has made the directory");
    fs::rename(told, file).expect("the test has made the directory");
}

fn close_input() {
    let nothing = File::open("/dev/null").expect("Linux has it");
    rustix::stdio::dup2_stdin(nothing).expect("it can be replaced");
}

fn forever() -> ! {
    loop {
        thread::park();
    }
}

fn start_children() {
    let found = Duty::FindOut.command().status().expect("it starts");
    assert!(found.success(), "a worker's child takes itself for one");
    let output = std::io::stdout().as_fd().try_clone_to_owned().expect("it is open");
    let mut holder = Command::new("cat");
    let holder = holder.stdin(output).stdout(Stdio::null()).spawn();
    let mut holder = holder.expect("there is a cat");
    thread::spawn(move || holder.wait());
}

/// What the parent of a worker does besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// It keeps the worker busy.
    Call,
    /// It forks a child that lives on, after it has started a worker. The child drops its copy.
    Fork,
    /// It starts the worker on a thread that ends.
    EndThread,
    /// It adopts the orphans of its descendants, as process 1 of a container does.
    Adopt,
}

/// See [`Role::Employ`](super::Role::Employ).
pub(super) fn employ(parent: &Parent, duty: &Duty, besides: Besides) {
    let spawn = || {
        let worker = Worker::<BasicClient>::builder(duty.command()).forward_stderr(true);
        worker.start_timeout(PATIENCE).spawn().expect("the worker starts")
    };
    if besides == Besides::Adopt {
        adopt();
    }
    let worker = match besides {
        Besides::EndThread => thread::scope(|scope| scope.spawn(spawn).join()).expect("it starts"),
        _ => spawn(),
    };
    let pid = worker.client().who_serves().expect("it serves");
    match besides {
        Besides::Nothing | Besides::EndThread | Besides::Adopt => {}
        Besides::Call => {
            let client = worker.client().clone();
            thread::spawn(move || client.hold(1, 1));
            worker.client().arrived(1, 1).expect("it serves");
        }
        Besides::Fork => {
            let (mut here, there) = UnixStream::pair().expect("sockets can be had");
            if let Fork::Child = fork::fork().expect("this process may fork") {
                // Neither kills it nor waits for it.
                drop(worker);
                drop((here, there));
                let input = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
                let _ = File::from(input).read_to_end(&mut Vec::new());
                std::process::exit(0);
            }
            drop(there);
            here.read_to_end(&mut Vec::new()).expect("the child drops its copies");
            worker.client().add(1, 2).expect("it serves on");
        }
    }
    parent.report(&pid);
    let () = parent.hear();
    drop(worker);
    parent.report(&());
    parent.outlive();
}

/// See [`Role::TryToEmploy`](super::Role::TryToEmploy).
pub(super) fn try_to_employ(parent: &Parent, duty: &Duty) {
    let worker = Worker::<BasicClient>::builder(duty.command()).start_timeout(PATIENCE).spawn();
    let pid = worker.as_ref().map_err(ToString::to_string);
    parent.report(&pid.map(|worker| worker.client().who_serves().expect("it serves")));
    parent.outlive();
}

/// Makes this process adopt the orphans of its descendants.
fn adopt() {
    set_child_subreaper(Some(getpid())).expect("any process may");
}

/// See [`Role::Bury`](super::Role::Bury).
pub(super) fn bury(parent: &Parent, file: &Path) {
    adopt();
    let worker = Worker::<BasicClient>::builder(Duty::ServeOwning(file.to_owned()).command());
    let worker = worker.own_process_group(false).start_timeout(PATIENCE).spawn();
    let worker = worker.expect("the worker starts");
    let pid_of = |pid: u32| Pid::from_raw(pid as i32).expect("no process has number 0");
    let own = fs::read_to_string(file).expect("the worker has told it");
    let own = pid_of(own.parse().expect("it is a number"));
    let pid = pid_of(worker.client().who_serves().expect("it serves"));
    kill_process(pid, Signal::KILL).expect("it is there");
    // When the worker has been reaped, its orphans are children of this process.
    worker.wait();
    waitpid(Some(own), WaitOptions::empty()).expect("it was adopted");
    parent.report(&());
    parent.outlive();
}
