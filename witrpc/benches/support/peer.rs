//! The second process: this program once more, with the server and the far ends of the floors.
//!
//! It lives as long as its standard input is open, so it ends with the first process however that
//! ends.

#![allow(clippy::disallowed_methods, reason = "benchmarks start threads as they like")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use super::cores::Cores;
use super::floor::{self, Floors};
use super::options::Options;
use super::raw_channel;
use super::service::Serving;
use super::socket;

/// The argument that makes a peer of this program.
const PEER: &str = "--peer";

/// The part that leaves the peer where it is.
const UNPINNED: &str = "unpinned";

/// What the peer says when it serves.
const READY: &str = "ready";

/// A benchmark's `main`: measures, or is the peer of one that does.
pub(crate) fn run(bench: impl FnOnce(Options)) {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((first, parts)) if first == PEER => serve(parts),
        _ => bench(Options::from_args(&args)),
    }
}

/// What the peer is to do.
#[derive(Default)]
pub(crate) struct Parts {
    args: Vec<String>,
}

impl Parts {
    /// Serves calls.
    pub(crate) fn service(mut self, serving: &Serving) -> Self {
        self.args.extend(["service".into(), serving.to_arg()]);
        self
    }

    /// Stays on the cores on which it is started.
    pub(crate) fn unpinned(mut self) -> Self {
        self.args.extend([UNPINNED.into(), String::new()]);
        self
    }

    /// Runs the far ends of the floors.
    pub(crate) fn floors(mut self, floors: &Floors) -> Self {
        let path = floors.path().into_os_string().into_string().expect("made of ASCII");
        self.args.extend(["floors".into(), path]);
        self
    }

    /// Answers on the bare channel.
    pub(crate) fn raw_channel(mut self, name: &str) -> Self {
        self.args.extend(["channel".into(), name.into()]);
        self
    }

    /// Reads what comes over a Unix socket.
    pub(crate) fn socket(mut self, name: &str) -> Self {
        self.args.extend(["socket".into(), name.into()]);
        self
    }

    /// Starts the peer and waits until it serves.
    pub(crate) fn start(self) -> Peer {
        let this = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(this)
            .arg(PEER)
            .args(self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started once more");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("asked for above"));
        let mut peer = Peer { child, stdin, stdout };
        assert_eq!(peer.read_line(), READY, "the peer did not start");
        peer
    }
}

/// The running second process; dropping it ends it.
pub(crate) struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Seconds that its threads have run.
    pub(crate) fn cpu_seconds(&mut self) -> f64 {
        let stdin = self.stdin.as_mut().expect("open until the drop");
        stdin.write_all(b"cpu\n").expect("the peer lives");
        self.read_line().parse().expect("a number")
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// The peer's `main`.
fn serve(parts: &[String]) {
    let cores = Cores::available();
    let mut servers = Vec::new();
    for part in parts.chunks_exact(2) {
        match part[0].as_str() {
            "service" => {
                let serving = Serving::from_arg(&part[1]).expect("made by `to_arg`");
                servers.push(serving.start());
            }
            "floors" => {
                let path = PathBuf::from(&part[1]);
                thread::spawn(move || floor::respond(&path));
            }
            "channel" => {
                let server = raw_channel::bind(&part[1]);
                thread::spawn(move || raw_channel::respond(&server));
            }
            "socket" => {
                let listener = socket::bind(&part[1]);
                thread::spawn(move || socket::respond(&listener));
            }
            UNPINNED => {}
            other => unreachable!("no part is called {other}"),
        }
    }
    if !parts.iter().any(|part| part == UNPINNED) {
        cores.pin_peer();
    }
    println!("{READY}");
    for line in std::io::stdin().lines() {
        if line.is_ok_and(|line| line == "cpu") {
            println!("{}", super::process::cpu_seconds());
        }
    }
    // Not a return, which would wait for handlers: the first process has gone.
    std::process::exit(0);
}
