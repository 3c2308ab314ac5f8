//! A server in a process of its own, which dies without a word.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};

use super::shop::builder;

/// The variable that makes a process of this test a server: where.
const SERVE_IN: &str = "WITRPC_TEST_SERVE_IN";

/// The server of another process; a test only for the process that is told where to serve.
#[test]
fn serve_for_another_process() {
    let Some(dir) = std::env::var_os(SERVE_IN) else { return };
    let _server = builder(Path::new(&dir), &Arc::default()).start().expect("the server starts");
    println!("serving");
    // Until it is killed, or its parent has gone.
    let _ = std::io::stdin().lines().count();
}

/// A server that dies without a word.
pub struct Doomed(Child);

impl Doomed {
    pub fn serve(dir: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("it runs"));
        command.args(["--exact", "doomed::serve_for_another_process", "--nocapture"]);
        command.env(SERVE_IN, dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line.contains("serving"))));
        Self(child)
    }

    /// Stops it: it stays, and answers nothing.
    pub fn stop(&self) {
        kill_process(Pid::from_child(&self.0), Signal::STOP).expect("it runs");
    }

    /// Lets it run on the first processor that it may use, alone.
    pub fn pin_to_one_processor(&self) {
        self.ask_the_system("taskset", &["--all-tasks", "--pid", "--cpu-list", "0"]);
    }

    /// Lets it run when nothing else wants to.
    pub fn set_batch_policy(&self) {
        self.ask_the_system("chrt", &["--all-tasks", "--batch", "--pid", "0"]);
    }

    fn ask_the_system(&self, program: &str, arguments: &[&str]) {
        let done = Command::new(program).args(arguments).arg(self.0.id().to_string()).output();
        assert!(done.is_ok_and(|done| done.status.success()), "{program} is part of util-linux");
    }

    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it is ours");
    }
}
