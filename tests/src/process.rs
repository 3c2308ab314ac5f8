//! Child processes that talk over pipes, and end with their parent.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::resources::is_stopped;
use crate::roles::Role;
use crate::skip::{lacking_namespaces, skipped};
use crate::watchdog::{PATIENCE, eventually};

/// The environment variable with the role of `witrpc-peer`.
const ROLE: &str = "WITRPC_TEST_ROLE";

/// A process in a role. Dropping it kills it. It also ends when this process does, in whatever way.
///
/// It must be started on the thread of the test, because the kernel kills it when that thread ends.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// What it has written to its standard error, for when the test fails.
    complaints: Arc<Mutex<String>>,
}

impl Child {
    /// Starts `witrpc-peer` in a role.
    ///
    /// # Panics
    ///
    /// When the process cannot be started.
    pub fn start(role: &Role) -> Self {
        Self::start_by(Command::new(peer_program()), role)
    }

    /// Starts it in its own pid and mount namespaces. What is killed later is the program that has
    /// made them, with which all processes in them end. Returns `None` if this process may not make
    /// any.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_apart(role: &Role) -> Option<Self> {
        Self::start_in(&["--pid", "--mount"], role)
    }

    /// Starts it in a time namespace whose clock is ahead by this number of seconds, as
    /// [`start_apart`](Self::start_apart) does.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_ahead(seconds: u32, role: &Role) -> Option<Self> {
        if !Path::new("/proc/self/ns/time").exists() {
            skipped("the kernel has no time namespaces");
            return None;
        }
        Self::start_in(&["--time", "--monotonic", &seconds.to_string()], role)
    }

    /// Starts it in new namespaces, which these options of `unshare` name.
    fn start_in(namespaces: &[&str], role: &Role) -> Option<Self> {
        let apart = |program: PathBuf| {
            let mut apart = Command::new("setpriv");
            // For the program in between; the peer arranges that for itself.
            apart.args(["--pdeathsig", "KILL", "unshare"]).args(namespaces).arg("--fork");
            apart.arg("--kill-child").arg(program);
            apart
        };
        let tried = apart("true".into()).stderr(Stdio::null()).status();
        if !tried.is_ok_and(|status| status.success()) {
            lacking_namespaces();
            return None;
        }
        Some(Self::start_by(apart(peer_program()), role))
    }

    /// Starts it as an argument of another program, which runs it: a memory checker, or a program
    /// that sets limits first. What is killed later is that program, unless it has become
    /// `witrpc-peer`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_under(mut program: Command, role: &Role) -> Self {
        program.arg(peer_program());
        Self::start_by(program, role)
    }

    fn start_by(mut program: Command, role: &Role) -> Self {
        let role = serde_json::to_string(role).expect("a role is data");
        let mut process = program
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("witrpc-peer starts");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut errors = process.stderr.take().expect("it is piped");
        let (to_lines, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if to_lines.send(line).is_err() {
                    break;
                }
            }
        });
        let complaints = Arc::new(Mutex::new(String::new()));
        let all = Arc::clone(&complaints);
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(len @ 1..) = errors.read(&mut part) {
                let part = String::from_utf8_lossy(&part[..len]);
                all.lock().expect("no thread panics with it").push_str(&part);
            }
        });
        Self { process, input, lines, complaints }
    }

    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns the next thing that it reports.
    ///
    /// # Panics
    ///
    /// When it ends, or nothing comes within [`PATIENCE`].
    pub fn hear<T: DeserializeOwned>(&self) -> T {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).expect("the child reports what is expected"),
            Err(error) => panic!("the child says nothing ({error}); {}", self.complaints()),
        }
    }

    /// Sends it a message.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn tell<T: Serialize>(&mut self, message: &T) {
        let line = serde_json::to_string(message).expect("a message is data");
        writeln!(self.input, "{line}").expect("the child listens");
    }

    /// Sends it a message and returns what it reports.
    ///
    /// # Panics
    ///
    /// As [`tell`](Self::tell) and [`hear`](Self::hear).
    pub fn ask<T: Serialize, A: DeserializeOwned>(&mut self, message: &T) -> A {
        self.tell(message);
        self.hear()
    }

    /// Kills it, as `kill -9` does, and returns when it is gone.
    ///
    /// # Panics
    ///
    /// When it had ended by itself.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        let status = self.end();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(Signal::KILL.as_raw()),
            "the child had ended before: {status}; {}",
            self.complaints()
        );
    }

    /// Waits until it has ended by itself, and returns how.
    ///
    /// # Panics
    ///
    /// When it has not ended within [`PATIENCE`].
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the child ends", || {
            status = self.process.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Sends it a signal without waiting for the effect.
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).expect("no process has number 0");
        kill_process(pid, signal).expect("a child can be sent signals until it is waited for");
    }

    /// Stops it, as Ctrl-Z does, and returns when it has stopped.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        eventually("the child stops", || is_stopped(self.pid()));
    }

    /// Resumes it.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end.
    fn end(&mut self) -> ExitStatus {
        self.process.wait().expect("a child can be waited for")
    }

    /// Returns what it has written to its standard error.
    ///
    /// # Panics
    ///
    /// When the thread that reads it has panicked.
    pub fn complaints(&self) -> String {
        let complaints = self.complaints.lock().expect("no thread panics with it");
        format!("its standard error: {complaints:?}")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("child {}: {}", self.pid(), self.complaints());
        }
        // An error means that it has been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn peer_program() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows its path");
    let mut folder = own.parent().expect("a program is in a folder");
    if folder.ends_with("deps") {
        folder = folder.parent().expect("cargo puts tests into a subfolder");
    }
    folder.join("witrpc-peer")
}

/// A child's view of the test that started it.
#[derive(Debug)]
pub struct Parent {
    lines: Receiver<String>,
}

impl Parent {
    /// Reads the role, and arranges that this process ends with its parent.
    ///
    /// # Panics
    ///
    /// When it was not started by [`Child::start`].
    pub fn meet() -> (Self, Role) {
        let role = std::env::var(ROLE).expect("only the tests start this program");
        let role = serde_json::from_str(&role).expect("the tests give a role");
        // A stopped process does not read its pipe, but this signal reaches it.
        set_parent_process_death_signal(Some(Signal::KILL)).expect("Linux has it");
        let (to_lines, lines) = mpsc::channel();
        // The role may be to take signals, which this thread must not take instead.
        let all = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let before = all.expect("a thread may block what it likes");
        let (to_begun, begun) = mpsc::channel();
        thread::spawn(move || {
            to_begun.send(()).expect("it is waited for");
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if to_lines.send(line).is_err() {
                    break;
                }
            }
            std::process::exit(1);
        });
        before.thread_set_mask().expect("a thread may block what it likes");
        // The role may leave less memory than a thread needs to begin.
        begun.recv().expect("the thread begins");
        (Self { lines }, role)
    }

    /// Reports something to the test.
    ///
    /// # Panics
    ///
    /// When the test has ended.
    pub fn report<T: Serialize>(&self, message: &T) {
        let line = serde_json::to_string(message).expect("a message is data");
        println!("{line}");
    }

    /// Returns the next message of the test.
    ///
    /// # Panics
    ///
    /// When it is another message than expected.
    pub fn hear<T: DeserializeOwned>(&self) -> T {
        match self.lines.recv() {
            Ok(line) => serde_json::from_str(&line).expect("the test says what is expected"),
            Err(_) => self.outlive(),
        }
    }

    /// Returns the next message of the test, if there is one.
    ///
    /// # Panics
    ///
    /// When it is another message than expected.
    pub fn hear_if_said<T: DeserializeOwned>(&self) -> Option<T> {
        let line = self.lines.try_recv().ok()?;
        Some(serde_json::from_str(&line).expect("the test says what is expected"))
    }

    /// Waits until the test ends this process.
    pub fn outlive(&self) -> ! {
        // The thread that reads ends the process.
        loop {
            thread::park();
        }
    }
}
