//! An end for tests that hang.

use std::fmt::Debug;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for anything single before it calls it lost. Far longer than it takes, also
/// on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Aborts the process unless it is dropped in time: a call that never returns fails its test
/// instead of stopping all of them. Children notice that their parent has gone.
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

/// Looks again and again until `what` is true: for what no event tells of, such as the resources
/// of a process.
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

/// Looks again and again until `what` is as expected.
///
/// # Panics
///
/// When it is not within [`PATIENCE`]; says what it was at last.
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
