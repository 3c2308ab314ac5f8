//! Workers that are shared: one thread or task stops them, others wait for them.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join;
use rustix::process::Signal;
use witrpc::{
    Backoff, CallError, DisconnectReason, Worker, WorkerBuilder, WorkerError, WorkerState,
};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::resources::is_alive;
use witrpc_tests::roles::Duty;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

fn builder(duty: &Duty) -> WorkerBuilder<BasicClient> {
    Worker::builder(duty.command()).start_timeout(PATIENCE)
}

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
