//! The duties of workers that try to start workers where that is refused.

use std::io::Read;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, exit};

use rustix::process::{Signal, getppid, kill_process};
use serde::{Deserialize, Serialize};
use witrpc::{ServeError, Worker, WorkerError, worker};

use crate::basic::{BasicClient, BasicServer, Bench};
use crate::watchdog::PATIENCE;

use super::Duty;

/// The duty of a process that tries to start a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Nested {
    /// Starts a worker with this duty. Ends with 0 if it can; otherwise writes the reason and ends
    /// with 3.
    Employ(Box<Duty>),
    /// Does the same with [`Duty::Serve`] after it has served in this way.
    EmployLast(Served),
    /// Kills its parent while it makes its service, then starts workers until one is refused.
    /// Writes why to its standard output.
    EmployOrphaned,
    /// Starts the same behind a shell that takes the standard input away, at most this many times.
    EmployWrapped(u32),
    /// Writes the environment variable about workers to its standard output.
    TellEnvironment,
}

/// How a call of `serve` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Served {
    /// It ends because the parent no longer wants the worker.
    ToTheEnd,
    /// The assignment cannot be read: something else has read standard input.
    NotAtAll,
    /// The user's code panics.
    WithAPanic,
}

impl Nested {
    pub(super) fn perform(self) {
        match self {
            Nested::Employ(duty) => employ(duty.command()),
            Nested::EmployLast(served) => {
                served.perform();
                employ(Duty::Serve.command());
            }
            Nested::EmployOrphaned => employ_orphaned(),
            Nested::EmployWrapped(0) => println!("the chain goes on"),
            Nested::EmployWrapped(left) => {
                let next = Duty::Nested(Nested::EmployWrapped(left - 1)).command();
                let mut shell = Command::new("sh");
                // Not the last command, so that the shell stays and is the parent.
                shell.args(["-c", "\"$0\" \"$@\" </dev/null; true"]);
                shell.arg(next.get_program()).args(next.get_args());
                employ(shell);
            }
            Nested::TellEnvironment => {
                print!("{}", std::env::var("WITRPC_WORKER").unwrap_or_default());
            }
        }
    }
}

impl Served {
    fn perform(self) {
        let serve = || worker::serve(BasicServer::new(Bench::default()));
        match self {
            Served::ToTheEnd => serve().expect("it is a worker"),
            Served::NotAtAll => {
                let input = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
                let mut len = [0; 4];
                std::fs::File::from(input).read_exact(&mut len).expect("an assignment is longer");
                let refused = serve();
                assert!(matches!(refused, Err(ServeError::Assignment { .. })), "{refused:?}");
            }
            Served::WithAPanic => {
                let panics = || worker::serve_with(|_, _| panic!("this is part of the test"));
                catch_unwind(AssertUnwindSafe(panics)).expect_err("it panics");
            }
        }
    }
}

fn start(command: Command) -> Result<Worker<BasicClient>, WorkerError> {
    Worker::builder(command).start_timeout(PATIENCE).spawn()
}

fn employ(command: Command) {
    if let Err(refused) = start(command) {
        eprintln!("{refused}");
        exit(3);
    }
}

fn employ_orphaned() {
    let served = worker::serve_with(|_, _| {
        kill_process(getppid().expect("it has a parent"), Signal::KILL).expect("it is there");
        // The kernel reports the end of the parent a little later.
        loop {
            if let Err(refused) = start(Duty::Serve.command()) {
                println!("{refused}");
                exit(3);
            }
        }
    });
    served.expect("it does not return");
}
