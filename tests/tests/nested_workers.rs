//! Workers that start workers: those that serve may, others may not.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use witrpc::{Worker, WorkerError, WorkerExit, worker};
use witrpc_tests::basic::{BasicClient, BasicServer, Bench};
use witrpc_tests::process::Child;
use witrpc_tests::resources::is_alive;
use witrpc_tests::roles::{Duty, Nested, Role, Served};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

fn spawn(command: Command) -> Result<Worker<BasicClient>, WorkerError> {
    Worker::<BasicClient>::builder(command).start_timeout(PATIENCE).spawn()
}

fn end_of(duty: &Duty) -> WorkerExit {
    match spawn(duty.command()) {
        Err(WorkerError::Exited { exit }) => exit,
        other => panic!("it ends without serving: {other:?}"),
    }
}

#[test]
fn a_worker_that_does_not_serve_starts_none() {
    for closed in [false, true] {
        let exit = end_of(&Duty::StartFirst { closed });
        assert_eq!(exit.status().unwrap().code(), Some(3), "{exit}");
        assert!(exit.stderr().contains("witrpc::worker::serve"), "{exit}");
        assert!(exit.stderr().contains("witrpc-peer"), "{exit}");
    }
}

/// Returns the exit of a worker that serves in this way, and then tries to start a worker.
fn refused_after(served: Served) -> WorkerExit {
    let exit = end_of(&Duty::Nested(Nested::EmployLast(served)));
    assert_eq!(exit.status().unwrap().code(), Some(3), "{exit}");
    exit
}

#[test]
fn a_worker_whose_serve_has_failed_starts_none() {
    for served in [Served::NotAtAll, Served::WithAPanic] {
        let exit = refused_after(served);
        assert!(exit.stderr().contains("witrpc::worker::serve has returned"), "{exit}");
        assert!(exit.stderr().contains("witrpc-peer"), "{exit}");
    }
}

#[test]
fn a_worker_that_has_served_starts_none() {
    // Within the second that it has for that, which may pass too soon on a machine under load.
    eventually("a worker ends by itself", || {
        let duty = Duty::Nested(Nested::EmployLast(Served::ToTheEnd));
        let status = spawn(duty.command()).unwrap().stop(PATIENCE).expect("the kernel tells");
        let killed = status.signal() == Some(Signal::KILL.as_raw());
        assert!(killed || status.code() == Some(3), "{status}");
        !killed
    });
}

#[test]
fn a_worker_whose_parent_has_gone_starts_none() {
    eventually("it is refused in the second that it has", || {
        let parent = Duty::Nested(Nested::Employ(Box::new(Duty::Nested(Nested::EmployOrphaned))));
        // Returns when all processes with its standard output have ended.
        let output = parent.command().output().unwrap();
        assert_eq!(output.status.signal(), Some(Signal::KILL.as_raw()), "{output:?}");
        String::from_utf8(output.stdout).unwrap().contains("its parent has gone")
    });
}

/// How deep workers may be nested.
const LIMIT: u32 = 8;

/// Returns a command in the environment of a worker, or in that of this process.
fn command_within(duty: Nested, environment: &str) -> Command {
    let mut command = Duty::Nested(duty).command();
    match environment {
        "" => command.env_remove("WITRPC_WORKER"),
        _ => command.env("WITRPC_WORKER", environment),
    };
    command
}

/// Returns the environment of a worker of a program that a worker with this environment has
/// started, or why there is none.
fn environment_below(environment: &str) -> Result<String, String> {
    let duty = Nested::Employ(Box::new(Duty::Nested(Nested::TellEnvironment)));
    let output = command_within(duty, environment).output().unwrap();
    let below = String::from_utf8(output.stdout).unwrap();
    if below.is_empty() { Err(String::from_utf8(output.stderr).unwrap()) } else { Ok(below) }
}

fn environment_at(level: u32) -> String {
    (0..level).fold(String::new(), |environment, _| environment_below(&environment).unwrap())
}

#[test]
fn programs_that_workers_start_have_workers_down_to_a_limit() {
    let refused = environment_below(&environment_at(LIMIT)).unwrap_err();
    assert!(refused.contains("the limit is 8"), "{refused}");
    assert!(refused.contains("WITRPC_WORKER"), "says what to do: {refused}");
}

#[test]
fn a_chain_of_programs_whose_standard_input_is_taken_away_ends_at_the_limit() {
    let environment = environment_at(LIMIT - 2);
    let output = command_within(Nested::EmployWrapped(4), &environment).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout.is_empty() && said.contains("the limit is 8"), "{output:?}");
}

#[test]
fn a_program_that_never_serves_is_told_what_is_missing() {
    let failure = spawn(Command::new("true")).unwrap_err().to_string();
    assert!(failure.contains("witrpc::worker::serve"), "{failure}");
}

#[test]
fn a_worker_that_serves_has_workers_which_end_with_it() {
    let _watchdog = Watchdog::new(PATIENCE);
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("pid");
    let worker = spawn(Duty::ServeOwning(file.clone()).command()).unwrap();
    let middle = worker.client().who_serves().unwrap();
    let last: u32 = fs::read_to_string(file).unwrap().parse().unwrap();
    assert!(is_alive(last) && last != middle);
    kill_process(Pid::from_raw(middle as i32).unwrap(), Signal::KILL).unwrap();
    eventually("the last one ends with the one in the middle", || !is_alive(last));
    assert!(matches!(*worker.wait(), WorkerError::Ended { .. }));
}

/// Checks that the last worker ends when the middle one does, whichever process adopts it.
fn ends_with_the_one_in_the_middle(start: impl FnOnce(&Role) -> Option<Child>) {
    let _watchdog = Watchdog::new(PATIENCE);
    let dir = TempDir::new().unwrap();
    let role = Role::Bury { file: dir.path().join("pid") };
    let Some(employer) = start(&role) else { return };
    employer.hear::<()>();
}

#[test]
fn a_worker_of_a_worker_in_its_parents_group_ends_with_it() {
    ends_with_the_one_in_the_middle(|role| Some(Child::start(role)));
}

#[test]
fn so_does_one_that_the_first_process_of_a_container_adopts() {
    ends_with_the_one_in_the_middle(Child::start_apart);
}

/// Does what the guide's chapter on tests does: one test serves, if it is run as a worker.
#[test]
fn serves_as_a_worker() {
    if worker::is_worker() {
        worker::serve(BasicServer::new(Bench::default())).unwrap();
    }
}

#[test]
fn a_test_program_is_its_own_worker_if_it_serves_and_only_then() {
    let itself = |test: &str| {
        let mut itself = Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", test]).stdout(Stdio::null());
        itself
    };
    if worker::is_worker() {
        // Started by a worker: without the rule, each generation would start the next.
        let refused = spawn(itself("serves_as_a_worker"));
        assert!(matches!(refused, Err(WorkerError::MustServeFirst { .. })), "{refused:?}");
        return;
    }
    let worker = spawn(itself("serves_as_a_worker")).unwrap();
    assert_eq!(worker.client().add(1, 2), Ok(3));
    let again = spawn(itself("a_test_program_is_its_own_worker_if_it_serves_and_only_then"));
    let Err(WorkerError::Exited { exit }) = again else { panic!("it does not serve: {again:?}") };
    assert!(exit.status().unwrap().success(), "{exit}");
}
