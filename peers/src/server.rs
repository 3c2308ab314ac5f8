//! The second process: this program once more, as a server.
//!
//! A server runs while it is its turn, and is stopped in between, so that one that polls takes no
//! core from the others. It ends with this process, however that ends, also while it is stopped.

use std::io::{BufRead, BufReader, Write};
use std::panic;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

use crate::peer::{PEERS, Session};
use crate::support::cores::Cores;
use crate::support::{floor, process};

/// The argument that makes a server of this program.
const SERVE: &str = "--serve";

/// What serves the far ends of the floors.
pub(crate) const FLOOR: &str = "floor";

/// What a server says when it serves.
const READY: &str = "ready";

/// What a server is asked for the seconds that its threads have run.
const CPU: &str = "cpu";

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server and waits until it serves.
    pub(crate) fn start(label: &str, session: &Session) -> Self {
        let this = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(this)
            .args([SERVE, label, &std::process::id().to_string()])
            .args(session.to_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started once more");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("asked for above"));
        let mut server = Self { child, stdin, stdout };
        assert_eq!(server.read_line(), READY, "the server of {label} did not start");
        server
    }

    /// Has it run.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Has it stop until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Returns the seconds that its threads have run. It must not be paused.
    pub(crate) fn cpu_seconds(&mut self) -> f64 {
        let stdin = self.stdin.as_mut().expect("open until the drop");
        writeln!(stdin, "{CPU}").expect("the server lives");
        self.read_line().parse().expect("a number")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child that is not reaped");
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.resume();
        drop(self.stdin.take());
        // One that has failed needs no more than to be reaped.
        let _ = self.child.wait();
    }
}

/// Is a server, if the arguments say so.
pub(crate) fn run_if_asked(args: &[String]) {
    let [serve, label, parent, session @ ..] = args else { return };
    if serve != SERVE {
        return;
    }
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a process with a parent");
    if !is_parent(parent) {
        std::process::exit(1);
    }
    end_parent_with_a_panic(parent.clone());
    let session = Session::from_args(session).expect("made by `to_args`");
    thread::spawn(answer_until_closed);
    if label == FLOOR {
        tell_ready(&session);
        floor::respond(Path::new(&session.name));
    }
    let peer = PEERS.iter().find(|peer| peer.label == label).expect("a peer of that label");
    (peer.serve)(&session, &|| tell_ready(&session));
    unreachable!("{label} serves until the process ends");
}

fn is_parent(parent: &str) -> bool {
    getppid().is_some_and(|now| now.to_string() == parent)
}

/// A client would wait for ever for a server that has failed.
fn end_parent_with_a_panic(parent: String) {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(info);
        if let Some(now) = getppid().filter(|now| now.to_string() == parent) {
            // It has gone if that fails.
            let _ = kill_process(now, Signal::TERM);
        }
    }));
}

fn tell_ready(session: &Session) {
    if session.pinned {
        Cores::available().pin_peer();
    }
    println!("{READY}");
}

fn answer_until_closed() {
    for line in std::io::stdin().lines() {
        if line.is_ok_and(|line| line == CPU) {
            println!("{}", process::cpu_seconds());
        }
    }
    // Not a return, which would wait for handlers: the first process has gone.
    std::process::exit(0);
}
