//! The role of a program that handles its signals itself.

use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use witrpc::{Backoff, Mmf, Reconnect, Worker};

use super::Duty;
use crate::basic::{BasicAsyncClient, BasicClient, Bench};
use crate::event_service::EventServiceClient;
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;
use crate::streams::StreamsClient;
use crate::watchdog::{PATIENCE, eventually_equal};

/// A thread: its name, and a bit mask of the signals that it blocks, from signal 1 on.
pub type Blocks = (String, u64);

/// The threads that [`take_signals`] starts, by the 15 bytes of their names that Linux keeps.
const EXPECTED: [&str; 9] = [
    "witrpc-control",
    "witrpc-events",
    "witrpc-fed",
    "witrpc-feed",
    "witrpc-link",
    "witrpc-reconnec",
    "witrpc-srv-",
    "witrpc-timer",
    "witrpc-worker",
];

/// SIGSEGV, which no other thread blocks.
const FAULT: u64 = 1 << 10;

/// Returns the library's threads in a process, and the signals that each blocks. A thread that ends
/// meanwhile is left out.
///
/// # Panics
///
/// When there is no such process.
fn threads_of(pid: u32) -> Vec<Blocks> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    let blocks = tasks.filter_map(|task| settled(&task.ok()?.path().join("status")));
    blocks.filter(|(name, _)| is_ours(name)).collect()
}

/// Returns whether the library has started a thread of that name.
fn is_ours(name: &str) -> bool {
    name.starts_with("witrpc-") && name != "witrpc-peer"
}

/// Returns the signals that a thread blocks once it has started; `None` if it ends.
///
/// The C library blocks all signals of a thread for a moment at its start and at its end.
fn settled(status: &Path) -> Option<Blocks> {
    let mut looks = 0;
    loop {
        let status = fs::read_to_string(status).ok()?;
        let blocked = blocked_in(&status);
        looks += 1;
        let name = field(&status, "Name");
        if blocked & FAULT == 0 || !is_ours(name) || looks > 100_000 {
            return Some((name.to_owned(), blocked));
        }
        thread::yield_now();
    }
}

/// Returns the signals that a status file of `/proc` says are blocked.
///
/// # Panics
///
/// When it is no such file.
pub fn blocked_in(status: &str) -> u64 {
    u64::from_str_radix(field(status, "SigBlk"), 16).expect("it is a number")
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    status.lines().find_map(value).expect("every status has it").trim()
}

/// See [`Role::TakeSignals`](super::Role::TakeSignals).
pub(super) fn take_signals(parent: &Parent) {
    let name = Mmf::unguessable().name().to_owned();
    for address in [Address::unguessable(), Address::InProcess { name }] {
        use_everything(&address);
    }
    let worker = Worker::<BasicClient>::builder(Duty::Serve.command()).start_timeout(PATIENCE);
    let worker = worker.spawn().expect("the worker starts");
    let worker_pid = worker.client().who_serves().expect("it serves");
    let own = || threads_of(std::process::id());
    let missing = || {
        let own = own();
        let has = |name: &str| own.iter().any(|(found, _)| found.starts_with(name));
        EXPECTED.into_iter().filter(|name| !has(name)).collect::<Vec<_>>()
    };
    eventually_equal("the threads that are missing", &Vec::new(), missing);

    // Only now, like a program that does not know of these threads.
    let signals = block_term();
    parent.report(&(own(), threads_of(worker_pid)));
    let taken = signals.wait().expect("the signal comes");
    parent.report(&taken.as_str());
    parent.outlive();
}

/// Starts everything that has threads, and leaves it running.
fn use_everything(address: &Address) {
    let plan = FixtureConfig { streams: true, event_service: true, ..FixtureConfig::default() };
    let server = plan.start(address, &Arc::new(Bench::default())).expect("the server starts");
    let client = BasicClient::builder(address.endpoint());
    let client = client.reconnect(Reconnect::new().backoff(Backoff::default())).connect();
    let later = futures_executor::block_on(BasicAsyncClient::connect(address.endpoint()));
    let later = later.expect("the client connects");
    let news = EventServiceClient::connect(address.endpoint()).expect("the client connects");
    let ticks = news.ticked().expect("the client subscribes");
    let streams = StreamsClient::connect(address.endpoint()).expect("the client connects");
    let (ours, both) = mpsc::channel();
    let theirs = ours.clone();
    thread::spawn(move || {
        // The second item never comes, so the upload stays in progress.
        let numbers = (0..2).inspect(|number| {
            if *number == 1 {
                block_term();
                theirs.send(()).expect("it is waited for");
                forever();
            }
        });
        streams.follow(numbers).expect("it does not end");
    });
    thread::spawn(move || {
        let held = later.hold_later(1, 1);
        let mut held = std::pin::pin!(held);
        let polled = held.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "the gate is closed");
        block_term();
        ours.send(()).expect("it is waited for");
        forever();
    });
    // These two threads are the program's, all of whose own threads block the signal.
    both.iter().take(2).for_each(drop);
    std::mem::forget((server, client.expect("the client connects"), news, ticks));
}

/// Blocks SIGTERM on this thread.
fn block_term() -> SigSet {
    let signals = SigSet::from(Signal::SIGTERM);
    signals.thread_block().expect("a thread may block what it likes");
    signals
}

fn forever() {
    loop {
        thread::park();
    }
}
