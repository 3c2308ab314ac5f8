//! A time limit for tests that hang.

use std::fmt::Debug;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for one event before it fails. This is far longer than an event takes,
/// also on a machine under load.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Aborts the process unless it is dropped in time, so that a call which never returns fails its
/// test instead of stopping all tests. Children notice that their parent is gone.
#[derive(Debug)]
pub struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    /// Allows `time` from now.
    pub fn new(time: Duration) -> Self {
        let (alive, over) = mpsc::channel::<()>();
        let test = thread::current().name().unwrap_or("a thread without name").to_owned();
        thread::spawn(move || {
            if over.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs: it was not done after {time:?}");
                std::process::abort();
            }
        });
        Self { _alive: alive }
    }
}

/// Checks repeatedly until `what` is true. It is for conditions that no event reports, such as the
/// resources of a process.
///
/// # Panics
///
/// When it is not true within [`PATIENCE`].
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < PATIENCE, "waited for {PATIENCE:?} in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Checks repeatedly until `what` is as expected.
///
/// # Panics
///
/// When it is not within [`PATIENCE`], with the last value.
pub fn eventually_equal<T: PartialEq + Debug>(what: &str, expected: &T, look: impl Fn() -> T) {
    let started = Instant::now();
    loop {
        let found = look();
        if found == *expected {
            return;
        }
        let waited = started.elapsed();
        assert!(waited < PATIENCE, "{what} is {found:?} after {waited:?}, not {expected:?}");
        thread::sleep(Duration::from_millis(1));
    }
}
