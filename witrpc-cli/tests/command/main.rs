//! The command as its users have it: as a process, with arguments, pipes and a terminal.

#![allow(clippy::disallowed_methods, reason = "tests start threads as they like")]

mod calls;
mod clean;
mod doomed;
mod looks;
mod shop;
mod terminal;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Returns the command with these arguments, for servers in that directory.
fn witrpc(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_witrpc"));
    let (name, rest) = arguments.split_first().expect("a subcommand is given");
    command.arg(name).arg("--dir").arg(dir).args(rest).stdin(Stdio::null());
    command
}

/// What a run of the command has brought about.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Self {
            code: output.status.code().expect("no signal ends it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Returns what was written, if the command succeeded and said nothing else.
    fn ok(self) -> String {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// Returns the error, if the command ended with that code and wrote nothing else.
    fn failed(self, code: i32) -> String {
        assert_eq!((self.code, &*self.stdout), (code, ""), "{}", self.stderr);
        self.stderr
    }
}

/// Returns the command's words as JSON.
fn json(dir: &Path, arguments: &[&str]) -> serde_json::Value {
    let written = run(dir, &[arguments, &["--json"]].concat()).stdout;
    serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"))
}

/// Runs the command.
fn run(dir: &Path, arguments: &[&str]) -> Ran {
    Ran::of(witrpc(dir, arguments).output().expect("the command starts"))
}

/// Runs the command with that standard input.
fn run_with(dir: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = witrpc(dir, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // The command may end before it has read all.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Ran::of(child.wait_with_output().expect("it ends"))
}
