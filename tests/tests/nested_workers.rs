//! Workers that start workers: those that serve may, others may not.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use witrpc::{Worker, WorkerError, WorkerExit, worker};
use witrpc_tests::basic::{BasicClient, BasicServer, Bench};
use witrpc_tests::process::Child;
use witrpc_tests::resources::is_alive;
use witrpc_tests::roles::{Duty, Role};
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

/// Whoever adopts the last one, it ends when that in the middle does.
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

/// What the guide's chapter on tests does: one test serves, if it is run as a worker.
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
        // Started below: without the rule, each generation would start the next.
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
