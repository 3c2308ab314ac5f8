//! Workers: child processes that serve their parent, and end with it.

use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use futures_executor::block_on;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use witrpc::{
    Backoff, CallError, ConnectError, DisconnectReason, Mmf, ServeError, Worker, WorkerError,
    WorkerState, worker,
};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient, BasicServer, Bench};
use witrpc_tests::process::Child;
use witrpc_tests::resources::{is_alive, is_stopped};
use witrpc_tests::roles::{Besides, Duty, Role};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

const MS: Duration = Duration::from_millis(1);
const BRIEFLY: Backoff = Backoff::new(MS, MS.saturating_mul(5));

fn spawn(duty: &Duty) -> Worker<BasicClient> {
    let builder = Worker::<BasicClient>::builder(duty.command()).start_timeout(PATIENCE);
    builder.spawn().expect("the worker starts")
}

fn pid_of(worker: &Worker<BasicClient>) -> u32 {
    match worker.state() {
        WorkerState::Serving { pid } => pid,
        other => panic!("it serves: {other:?}"),
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid as i32).expect("no process has number 0");
    kill_process(pid, signal).expect("the process is there");
}

fn failure_of(duty: &Duty) -> WorkerError {
    let builder = Worker::<BasicClient>::builder(duty.command()).start_timeout(PATIENCE);
    builder.spawn().expect_err("this worker does not serve")
}

#[test]
fn a_worker_serves_until_it_is_dropped() {
    let worker = spawn(&Duty::Serve);
    let client = worker.client().clone();
    let pid = client.who_serves().unwrap();
    assert_eq!(worker.state(), WorkerState::Serving { pid });
    assert_ne!(pid, std::process::id());
    assert!(worker.last_failure().is_none());
    // Other processes that have the place and the token can connect.
    let other = BasicClient::builder(worker.place());
    let other = other.access_token(worker.access_token().clone()).connect().unwrap();
    assert_eq!(other.who_serves(), Ok(pid));
    let uninvited = BasicClient::connect(worker.place());
    assert!(matches!(uninvited, Err(ConnectError::TokenRequired)), "{uninvited:?}");
    drop(worker);
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "it is reaped");
    let closed = Err(CallError::Disconnected(DisconnectReason::ClosedHere));
    assert_eq!(client.add(1, 2), closed, "to its clones this is an intended end");
}

#[test]
fn neither_command_line_nor_environment_tell_the_secrets() {
    let worker = spawn(&Duty::Serve);
    let name = worker.place().name().to_owned();
    let token = worker.access_token().to_hex();
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{}/{file}", pid_of(&worker))).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.is_empty() && !text.contains(&name), "{file}: {text}");
        assert!(!text.contains(token.as_str()), "{file}: {text}");
    }
    assert!(!format!("{worker:?}").contains(&name));
}

#[test]
fn an_early_end_comes_with_its_status_and_last_words() {
    let failure = failure_of(&Duty::Exit(42, "the model is missing".to_owned()));
    let WorkerError::Exited { exit } = &failure else { panic!("{failure}") };
    assert_eq!(exit.status().unwrap().code(), Some(42));
    assert_eq!(exit.stderr(), "the model is missing");
    assert!(
        failure
            .to_string()
            .ends_with("exit status 42; the last on its standard error:\n  | the model is missing"),
        "{failure}"
    );
}

#[test]
fn a_server_that_is_refused_says_why() {
    let failure = failure_of(&Duty::ServeBadly);
    let WorkerError::CannotServe { problem, .. } = &failure else { panic!("{failure}") };
    assert!(problem.contains("max_workers cannot be 0"), "{problem}");
}

#[test]
fn a_process_that_never_serves_is_killed_in_time() {
    for duty in [Duty::Idle { closed: false }, Duty::Idle { closed: true }] {
        let builder = Worker::<BasicClient>::builder(duty.command()).start_timeout(200 * MS);
        let failure = builder.spawn().unwrap_err();
        let WorkerError::NotServing { after, exit } = &failure else { panic!("{failure}") };
        assert_eq!(*after, 200 * MS);
        assert_eq!(exit.status().unwrap().signal(), Some(Signal::KILL.as_raw()));
    }
}

#[test]
fn a_process_that_is_no_worker_is_told_from_one() {
    let failure = failure_of(&Duty::Babble);
    let WorkerError::CannotServe { problem, .. } = &failure else { panic!("{failure}") };
    assert!(problem.contains("is no report"), "{problem}");
    let nowhere = Worker::<BasicClient>::spawn(Command::new("/nowhere/at-all")).unwrap_err();
    assert!(
        matches!(&nowhere, WorkerError::Spawn { program, .. } if program == "/nowhere/at-all"),
        "{nowhere}"
    );
}

#[test]
fn a_process_without_an_assignment_says_so() {
    assert!(!worker::is_worker());
    let refused = worker::serve(BasicServer::new(Bench::default()));
    assert!(matches!(refused, Err(ServeError::NotAWorker)), "{refused:?}");
}

#[test]
fn a_client_that_cannot_connect_leaves_no_process() {
    let dir = TempDir::new().unwrap();
    let elsewhere = Mmf::new("elsewhere").in_dir(dir.path());
    let builder = Worker::<BasicClient>::builder(Duty::Serve.command());
    let failure = builder.client(move |_| BasicClient::builder(elsewhere)).spawn().unwrap_err();
    let WorkerError::Connect { source } = &failure else { panic!("{failure}") };
    assert!(matches!(source, ConnectError::NobodyServes { .. }), "{source}");
}

#[test]
fn the_name_can_stand_in_a_directory_of_its_own() {
    let dir = TempDir::new().unwrap();
    let builder = Worker::<BasicClient>::builder(Duty::Serve.command()).in_dir(dir.path());
    let worker = builder.spawn().unwrap();
    assert!(fs::exists(dir.path().join(worker.place().name())).unwrap());
    assert_eq!(worker.client().add(1, 2), Ok(3));
}

#[test]
fn a_crash_says_by_which_signal_and_what_was_last() {
    let worker = spawn(&Duty::ServeTalking(10_000));
    let client = worker.client();
    let held = std::thread::spawn({
        let client = client.clone();
        move || client.hold(1, 1)
    });
    client.arrived(1, 1).unwrap();
    signal(pid_of(&worker), Signal::ABORT);
    assert_eq!(held.join().unwrap(), Err(CallError::PeerDied));
    let failure = worker.wait();
    let exit = failure.exit().unwrap();
    assert_eq!(exit.status().unwrap().signal(), Some(Signal::ABORT.as_raw()));
    assert!(exit.stderr().ends_with("this is line 9999"), "{}", exit.stderr());
    assert!(exit.stderr().len() <= 4096);
    assert_eq!(worker.state(), WorkerState::Ended);
    assert!(failure.to_string().contains("(SIGABRT)"), "{failure}");
}

#[test]
fn a_stopped_worker_is_killed_all_the_same() {
    let worker = spawn(&Duty::Serve);
    let pid = pid_of(&worker);
    signal(pid, Signal::STOP);
    eventually("it stops", || is_stopped(pid));
    drop(worker);
    eventually("it is gone", || !is_alive(pid));
}

#[test]
fn a_worker_can_end_by_itself() {
    // Within the second that it has for that, which may pass too soon on a machine under load.
    eventually("a worker ends by itself", || {
        let status = spawn(&Duty::Serve).stop(PATIENCE).expect("the kernel tells");
        assert!(status.success() || status.signal() == Some(Signal::KILL.as_raw()), "{status}");
        status.success()
    });
    // A worker that has ended before has its own status.
    let worker = spawn(&Duty::Serve);
    signal(pid_of(&worker), Signal::KILL);
    worker.wait();
    assert_eq!(worker.stop(PATIENCE).unwrap().signal(), Some(Signal::KILL.as_raw()));
}

#[test]
fn a_worker_that_stays_is_killed() {
    // It is killed by its parent, after the time limit ..
    let worker = spawn(&Duty::ServeAndLinger);
    let killed = Some(Signal::KILL.as_raw());
    assert_eq!(worker.stop(Duration::ZERO).unwrap().signal(), killed);
    // .. or ends by itself.
    let worker = spawn(&Duty::ServeAndLinger);
    assert_eq!(worker.stop(PATIENCE).unwrap().signal(), killed);
}

#[test]
fn a_crashed_worker_is_followed_by_another() {
    let (told, failures) = mpsc::channel();
    let worker = Worker::<BasicClient>::builder(Duty::Serve.command())
        .restart(BRIEFLY)
        .on_failure(move |failure| told.send(failure.to_string()).expect("the test listens"))
        .spawn()
        .unwrap();
    for round in 1..=5 {
        let pid = pid_of(&worker);
        assert_eq!(worker.client().who_serves(), Ok(pid));
        signal(pid, Signal::KILL);
        eventually_equal("restarts", &round, || worker.restarts());
        let failure = failures.recv_timeout(PATIENCE).unwrap();
        assert!(failure.contains("SIGKILL"), "{failure}");
        assert_ne!(pid_of(&worker), pid);
        eventually("the client comes back", || worker.client().who_serves() == Ok(pid_of(&worker)));
    }
    let pid = pid_of(&worker);
    drop(worker);
    assert!(!is_alive(pid), "what is not wanted is not restarted");
    assert!(failures.recv_timeout(PATIENCE).is_err(), "an end that was asked for is no failure");
}

#[test]
fn attempts_to_restart_go_on_until_they_are_not_wanted() {
    let dir = TempDir::new().unwrap();
    let (told, failures) = mpsc::channel();
    let then = Duty::Exit(3, "it has been here before".to_owned());
    let duty = Duty::ServeOnce(dir.path().join("served"), Box::new(then));
    let worker = Worker::<BasicClient>::builder(duty.command())
        .restart(BRIEFLY)
        .on_failure(move |failure| {
            // A panic in this closure must not end the supervision of the worker.
            told.send(failure.exit().unwrap().status()).expect("the test listens");
            panic!("this is part of the test");
        })
        .spawn()
        .unwrap();
    signal(pid_of(&worker), Signal::KILL);
    let next = || failures.recv_timeout(PATIENCE).unwrap().unwrap();
    assert_eq!(next().signal(), Some(Signal::KILL.as_raw()));
    for _ in 0..4 {
        assert_eq!(next().code(), Some(3));
    }
    assert_eq!((worker.restarts(), worker.state()), (0, WorkerState::Restarting));
    assert!(worker.last_failure().unwrap().to_string().contains("it has been here before"));
}

#[test]
fn a_worker_is_dropped_whatever_its_keeper_does() {
    let _watchdog = Watchdog::new(PATIENCE);
    // It pauses for an hour.
    let hour = Duration::from_secs(3600);
    let builder = Worker::<BasicClient>::builder(Duty::Serve.command());
    let worker = builder.restart(Backoff::new(hour, hour)).spawn().unwrap();
    signal(pid_of(&worker), Signal::KILL);
    eventually_equal("its state", &WorkerState::Restarting, || worker.state());
    drop(worker);
    // It waits for a process that does not serve.
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("served");
    let duty = Duty::ServeOnce(file, Box::new(Duty::Idle { closed: false }));
    let builder = Worker::<BasicClient>::builder(duty.command());
    let worker = builder.restart(BRIEFLY).start_timeout(hour).spawn().unwrap();
    signal(pid_of(&worker), Signal::KILL);
    eventually_equal("its state", &WorkerState::Restarting, || worker.state());
    drop(worker);
}

#[test]
fn what_a_worker_starts_is_no_worker_and_holds_nothing_up() {
    let (held, theirs) = UnixStream::pair().unwrap();
    let mut command = Duty::ServeWithChildren.command();
    command.stdout(OwnedFd::from(theirs));
    let worker = Worker::<BasicClient>::spawn(command).unwrap();
    assert_eq!(worker.client().add(1, 2), Ok(3), "its first child was no worker");
    signal(pid_of(&worker), Signal::KILL);
    // Its second child still has the worker's standard error.
    assert_eq!(worker.wait().exit().unwrap().status().unwrap().signal(), Some(9));
    // It also has the socket, until this ends it.
    (&held).write_all(b"a line for the cat\n").expect("the child is there");
}

#[test]
fn a_worker_may_stand_behind_a_shell() {
    let duty = Duty::Serve.command();
    let mut shell = Command::new("sh");
    // Not the last command, so that the shell stays.
    shell.args(["-c", "\"$0\" \"$@\"; exit 7"]).arg(duty.get_program()).args(duty.get_args());
    let worker = Worker::<BasicClient>::spawn(shell).unwrap();
    let pid = worker.client().who_serves().unwrap();
    assert_ne!(pid, pid_of(&worker), "that is the shell");
    drop(worker);
    eventually("the worker ends with the line", || !is_alive(pid));
}

#[test]
fn an_async_program_has_workers_too() {
    block_on(async {
        let builder = Worker::<BasicAsyncClient>::builder(Duty::Serve.command());
        let worker = builder.client(|client| client.call_timeout(PATIENCE)).spawn_async().await;
        let worker = worker.unwrap();
        assert_eq!(worker.client().connection().call_timeout(), Some(PATIENCE));
        assert_eq!(worker.client().lookup("word").await, Ok(Some("WORD".to_owned())));
    });
}

/// Starts a parent with a worker, and returns the worker's process id too.
fn employer(duty: Duty, besides: Besides) -> (Child, u32) {
    let parent = Child::start(&Role::Employ { duty, besides });
    let pid = parent.hear();
    assert!(is_alive(pid));
    (parent, pid)
}

#[test]
fn a_worker_ends_with_its_parent() {
    for besides in [Besides::Nothing, Besides::Call, Besides::EndThread] {
        let (parent, worker) = employer(Duty::Serve, besides);
        parent.kill();
        eventually("the worker ends with its parent", || !is_alive(worker));
    }
}

#[test]
fn a_worker_that_lingers_ends_with_its_parent() {
    let (parent, worker) = employer(Duty::ServeAndLinger, Besides::Nothing);
    parent.kill();
    eventually("the worker ends with its parent", || !is_alive(worker));
}

#[test]
fn a_stopped_worker_ends_with_its_parent() {
    let (parent, worker) = employer(Duty::Serve, Besides::Nothing);
    signal(worker, Signal::STOP);
    eventually("it stops", || is_stopped(worker));
    parent.kill();
    eventually("the worker ends with its parent", || !is_alive(worker));
}

#[test]
fn a_forked_child_of_the_parent_has_no_part_in_the_worker() {
    // The child has dropped its copy by now, which the worker has survived.
    let (parent, worker) = employer(Duty::Serve, Besides::Fork);
    // It lives on, and does not keep the line open.
    parent.signal(Signal::KILL);
    eventually("the worker ends with its parent", || !is_alive(worker));
    drop(parent);
}

#[test]
fn what_outlives_a_worker_and_is_adopted_by_its_parent_is_no_worker() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("is-worker");
    let (_parent, worker) = employer(Duty::ServeLeaving(file.clone()), Besides::Adopt);
    signal(worker, Signal::KILL);
    eventually("it has found out", || file.exists());
    assert_eq!(fs::read_to_string(file).unwrap(), "false");
}

#[test]
fn standard_error_is_forwarded_if_asked_for() {
    let (mut parent, worker) = employer(Duty::ServeTalking(3), Besides::Nothing);
    let () = parent.ask(&());
    assert!(!is_alive(worker), "it was dropped");
    eventually("it is forwarded", || parent.complaints().contains("this is line 2"));
}
