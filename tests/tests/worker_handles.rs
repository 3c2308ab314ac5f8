//! Workers that are shared: one thread or task stops them, others wait for them.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use witrpc::{
    Backoff, CallError, DisconnectReason, Reconnect, Worker, WorkerBuilder, WorkerError,
    WorkerState,
};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::resources::is_alive;
use witrpc_tests::roles::Duty;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

fn builder(duty: &Duty) -> WorkerBuilder<BasicClient> {
    Worker::builder(duty.command()).start_timeout(PATIENCE)
}

const BRIEFLY: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
/// A pause that no test waits for.
const LONG: Backoff = Backoff::new(Duration::from_secs(3600), Duration::from_secs(3600));

/// On a machine under load, the second in which a worker may end by itself can pass too soon.
fn assert_is_an_end(status: ExitStatus) {
    let killed = status.signal() == Some(Signal::KILL.as_raw());
    assert!(status.success() || killed, "{status}");
}

#[test]
fn a_shared_worker_is_stopped_while_others_wait() {
    let _watchdog = Watchdog::new(PATIENCE);
    let worker = builder(&Duty::Serve).restart(Backoff::default()).spawn().unwrap();
    let handle = worker.handle();
    let worker = Arc::new(worker);
    let pid = worker.client().who_serves().unwrap();
    let shared = Arc::clone(&worker);
    let waiting = [thread::spawn(move || shared.wait()), thread::spawn(move || handle.wait())];
    let status = worker.stop(PATIENCE).expect("the kernel tells");
    assert_is_an_end(status);
    assert!(!is_alive(pid));
    for waiting in waiting {
        let how = waiting.join().unwrap();
        assert!(matches!(*how, WorkerError::Ended { .. }), "{how}");
        assert_eq!(how.exit().unwrap().status(), Some(status));
    }
    assert_eq!((worker.state(), worker.restarts()), (WorkerState::Ended, 0));
    let closed = Err(CallError::Disconnected(DisconnectReason::ClosedHere));
    assert_eq!(worker.client().add(1, 2), closed, "to its clients this is an intended end");
    assert_eq!(worker.stop(Duration::ZERO), Some(status), "it has ended before");
}

#[test]
fn a_handle_outlives_its_worker() {
    let _watchdog = Watchdog::new(PATIENCE);
    let worker = builder(&Duty::Serve).spawn().unwrap();
    let (handle, pid) = (worker.handle(), worker.client().who_serves().unwrap());
    drop(worker);
    assert!(!is_alive(pid), "a handle does not keep the worker");
    assert_eq!(handle.state(), WorkerState::Ended);
    let status = handle.wait().exit().unwrap().status();
    assert_eq!(status.unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(handle.stop(PATIENCE), status);
}

#[test]
fn an_async_program_stops_and_awaits_its_workers() {
    let _watchdog = Watchdog::new(PATIENCE);
    block_on(async {
        let worker = builder(&Duty::Serve).spawn_async().await.unwrap();
        let handle = worker.handle();
        let (how, status) = join(handle.wait_async(), worker.stop_async(PATIENCE)).await;
        assert_is_an_end(status.expect("the kernel tells"));
        assert_eq!(how.exit().unwrap().status(), status);

        // A worker that does not end is killed when its time is over.
        let worker = builder(&Duty::ServeAndLinger).spawn_async().await.unwrap();
        let status = worker.stop_async(Duration::ZERO).await;
        assert_eq!(status.unwrap().signal(), Some(Signal::KILL.as_raw()));
        worker.wait_async().await;
    });
}

#[test]
fn a_start_that_is_dropped_leaves_neither_process_nor_thread() {
    let _watchdog = Watchdog::new(PATIENCE);
    let (mut held, theirs) = UnixStream::pair().unwrap();
    let mut command = Duty::Idle { closed: false }.command();
    command.stdout(OwnedFd::from(theirs));
    let builder = Worker::<BasicClient>::builder(command);
    let hour = Duration::from_secs(3600);
    let mut starting = Box::pin(builder.start_timeout(hour).spawn_async());
    let polled = starting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(starting);
    // The process holds its standard output, and the thread holds the command.
    assert_eq!(held.read(&mut [0]).unwrap(), 0, "it ends when both have gone");
}

#[test]
fn a_start_whose_client_is_decided_by_code_that_panics_leaves_neither_process_nor_thread() {
    let _watchdog = Watchdog::new(PATIENCE);
    for is_async in [false, true] {
        let (mut held, theirs) = UnixStream::pair().unwrap();
        let mut command = Duty::Serve.command();
        command.stdout(OwnedFd::from(theirs));
        let builder = Worker::<BasicClient>::builder(command).restart(Backoff::default());
        let builder = builder.start_timeout(PATIENCE).client(|_| panic!("no codec will do"));
        let start = || match is_async {
            false => builder.spawn().map(drop),
            true => block_on(builder.spawn_async()).map(drop),
        };
        let panic = catch_unwind(AssertUnwindSafe(start)).expect_err("the closure panics");
        assert_eq!(panic.downcast_ref(), Some(&"no codec will do"));
        // Each process holds its standard output, and the thread that restarts them holds the
        // command.
        assert_eq!(held.read(&mut [0]).unwrap(), 0, "it ends when all have gone");
    }
}

fn stop_by_signal(pid: u32) {
    let pid = Pid::from_raw(pid as i32).expect("no process has number 0");
    kill_process(pid, Signal::STOP).expect("it is this process's child");
}

#[test]
fn a_worker_that_hangs_is_killed_at_once() {
    let _watchdog = Watchdog::new(PATIENCE);
    let worker = builder(&Duty::Serve).restart(BRIEFLY).spawn().unwrap();
    let pid = worker.client().who_serves().unwrap();
    stop_by_signal(pid);
    let status = worker.kill().expect("the kernel tells");
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    assert!(!is_alive(pid));
    assert_eq!((worker.state(), worker.restarts()), (WorkerState::Ended, 0), "no other follows");
    assert!(!worker.restart(), "it has ended for good");
}

#[test]
fn a_worker_that_hangs_is_replaced_without_a_pause_and_without_counting_as_a_failure() {
    let _watchdog = Watchdog::new(PATIENCE);
    let (tell, told) = mpsc::channel();
    // A restart by itself would be refused, and its pause would outlast the test.
    let worker = builder(&Duty::Serve).restart(LONG).restart_limit(0, Duration::MAX);
    let worker = worker.on_failure(move |failure| tell.send(failure.to_string()).unwrap());
    let worker = worker.client(|client| client.reconnect(Reconnect::new().backoff(BRIEFLY)));
    let worker = worker.spawn().unwrap();
    for restarts in 1..4 {
        let pid = worker.client().who_serves().unwrap();
        stop_by_signal(pid);
        assert!(worker.restart());
        eventually_equal("how many have followed", &restarts, || worker.restarts());
        let is_served = || worker.client().who_serves().is_ok_and(|next| next != pid);
        eventually("the next process serves", is_served);
        assert!(!is_alive(pid));
    }
    drop(worker);
    assert!(told.recv().is_err(), "none of these ends was a failure");
}

#[test]
fn a_worker_without_restarts_is_not_replaced() {
    let _watchdog = Watchdog::new(PATIENCE);
    let worker = builder(&Duty::Serve).spawn().unwrap();
    assert!(!worker.restart());
    assert_eq!(worker.client().add(1, 2), Ok(3));
}

#[test]
fn a_worker_that_keeps_ending_is_given_up_with_a_typed_error() {
    const MOST: u32 = 3;
    let _watchdog = Watchdog::new(PATIENCE);
    let dir = TempDir::new().unwrap();
    let ends = Duty::Exit(7, "out of ideas".to_owned());
    let duty = Duty::ServeOnce(dir.path().join("served"), Box::new(ends));
    let (tell, told) = mpsc::channel();
    let worker = builder(&duty).restart(BRIEFLY).restart_limit(MOST, Duration::MAX);
    let worker = worker.on_failure(move |failure| tell.send(failure.to_string()).unwrap());
    let worker = worker.spawn().unwrap();
    // A client that waits for the next process learns that there is none.
    let client = worker.client().clone();
    let pid = Pid::from_raw(client.who_serves().unwrap() as i32).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let how = worker.wait();
    let WorkerError::RestartLimit { most, last, .. } = &*how else { panic!("{how}") };
    assert_eq!((*most, last.exit().unwrap().status().unwrap().code()), (MOST, Some(7)));
    assert!(how.to_string().contains("restart_limit") && how.to_string().contains("out of ideas"));
    let closed = Err(CallError::Disconnected(DisconnectReason::ClosedHere));
    assert_eq!(client.add(1, 2), closed);
    assert_eq!(worker.state(), WorkerState::Ended);
    drop(worker);
    assert_eq!(told.into_iter().count() as u32, MOST + 1, "each end, and the last with the limit");
}
