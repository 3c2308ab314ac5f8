//! Signals belong to the program, whatever threads the library has in it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use witrpc::{
    Backoff, InProcess, WitServer, Worker, WorkerState, restore_signal_mask, wit_service,
};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Blocks, Duty, Role, blocked_in};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};

/// HUP, INT, QUIT, USR1, USR2, ALRM, TERM, CHLD and WINCH.
const HANDLED: [u32; 9] = [1, 2, 3, 10, 12, 14, 15, 17, 28];

/// SEGV and BUS, for programs that map files; PROF, for profilers.
const NOT_BLOCKED: [u32; 3] = [11, 7, 27];

fn bits(signals: &[u32]) -> u64 {
    signals.iter().map(|signal| 1 << (signal - 1)).sum()
}

fn blocked_by(path: &str) -> u64 {
    blocked_in(&fs::read_to_string(path).expect("the process is there"))
}

#[test]
fn a_program_takes_the_signals_that_it_blocks_after_the_start() {
    let child = Child::start(&Role::TakeSignals);
    let (own, workers): (Vec<Blocks>, Vec<Blocks>) = child.hear();
    assert!(workers.iter().any(|(name, _)| name == "witrpc-parent"), "{workers:?}");
    for (name, blocked) in own.into_iter().chain(workers) {
        assert_eq!(blocked & bits(&HANDLED), bits(&HANDLED), "{name} blocks {blocked:x}");
        assert_eq!(blocked & bits(&NOT_BLOCKED), 0, "{name} blocks {blocked:x}");
    }
    child.signal(Signal::TERM);
    assert_eq!(child.hear::<String>(), "SIGTERM");
}

#[test]
fn every_process_of_a_worker_has_the_programs_mask() {
    let _watchdog = Watchdog::new(PATIENCE);
    let moment = Duration::from_millis(1);
    let builder = Worker::<BasicClient>::builder(Duty::Serve.command()).start_timeout(PATIENCE);
    let builder = builder.restart(Backoff::new(moment, moment));
    let worker = futures_executor::block_on(builder.spawn_async()).expect("the worker starts");
    for round in 1..=2 {
        let WorkerState::Serving { pid } = worker.state() else { panic!("it serves") };
        let own = blocked_by("/proc/thread-self/status");
        assert_eq!(blocked_by(&format!("/proc/{pid}/status")), own, "process {round}");
        kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
        eventually_equal("restarts", &round, || worker.restarts());
    }
}

/// Starts processes.
#[wit_service]
pub trait Launcher {
    /// Returns the signals that a child of the handler blocks, started as it is and with the
    /// program's mask.
    fn launch(&self) -> (u64, u64);
    /// Returns the signals that a worker of the handler blocks.
    fn employ(&self) -> u64;
}

struct Local;

impl Launcher for Local {
    fn launch(&self) -> (u64, u64) {
        let look = |mut command: Command| {
            let output = command.arg("/proc/self/status").output().expect("there is a cat");
            blocked_in(&String::from_utf8(output.stdout).expect("it is text"))
        };
        let mut restored = Command::new("cat");
        restore_signal_mask(&mut restored);
        (look(Command::new("cat")), look(restored))
    }

    fn employ(&self) -> u64 {
        let worker = Worker::<BasicClient>::builder(Duty::Serve.command());
        let worker = worker.start_timeout(PATIENCE).spawn().expect("the worker starts");
        let WorkerState::Serving { pid } = worker.state() else { panic!("it serves") };
        blocked_by(&format!("/proc/{pid}/status"))
    }
}

#[test]
fn what_a_handler_starts_can_have_the_programs_mask() {
    let _watchdog = Watchdog::new(PATIENCE);
    let place = InProcess::new();
    let server = WitServer::builder().listen(place.clone()).service(LauncherServer::new(Local));
    let server = server.start().unwrap();
    let launcher = LauncherClient::connect(place).unwrap();
    let own = blocked_by("/proc/thread-self/status");
    assert_eq!(launcher.launch(), Ok((own | bits(&HANDLED), own)));
    assert_eq!(launcher.employ(), Ok(own), "a worker needs no more");
    drop(server);
}
