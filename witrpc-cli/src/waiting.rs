//! What the command waits for, shown to a user who sits at a terminal once it takes long.
//!
//! The line is written to standard error, and only if that is a terminal. It is erased before anything else is
//! written there, so that pipes and files never have it.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use witrpc_rt::lock;

use crate::output;

/// How long a wait takes until it is shown, and how often the line is written anew.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is waited for, from here until it is dropped.
pub struct Waiting(Option<WaitDisplay>);

struct WaitDisplay {
    line: Arc<(Mutex<WaitLine>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

struct WaitLine {
    what: String,
    since: Instant,
    is_shown: bool,
    is_over: bool,
}

impl Waiting {
    /// Begins to wait for something: `the answer of Shop.add`.
    pub fn begin(what: impl Into<String>) -> Self {
        if !stderr().is_terminal() || !output::is_able() {
            return Self(None);
        }
        let (what, since) = (what.into(), Instant::now());
        let line = WaitLine { what, since, is_shown: false, is_over: false };
        let line = Arc::new((Mutex::new(line), Condvar::new()));
        let shown = Arc::clone(&line);
        // Without a thread, nothing is shown, and all else works.
        let thread = witrpc_rt::spawn("waiting", move || show(&shown)).ok();
        Self(Some(WaitDisplay { line, thread }))
    }

    /// Something has come, and the next is waited for: erases the line.
    pub fn came(&self) {
        self.change(|_| {});
    }

    /// What was waited for has come, and something else is waited for.
    pub fn now_for(&self, what: impl Into<String>) {
        self.change(|line| line.what = what.into());
    }

    fn change(&self, change: impl FnOnce(&mut WaitLine)) {
        let Some(WaitDisplay { line, .. }) = &self.0 else { return };
        let mut line = lock(&line.0);
        line.erase();
        line.since = Instant::now();
        change(&mut line);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.change(|line| line.is_over = true);
        let Some(WaitDisplay { line, thread }) = &mut self.0 else { return };
        line.1.notify_all();
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

impl WaitLine {
    fn erase(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    fn write(&mut self) {
        let seconds = self.since.elapsed().as_secs();
        let text = output::printable(&format!("waiting for {} ({seconds} s)", self.what));
        let text = output::cut(&text, output::stderr_width());
        let _ = write!(stderr(), "\r\x1b[K{}", output::on_stderr(output::DIM, text));
        self.is_shown = true;
    }
}

/// Writes the line again and again, while nothing comes.
fn show((line, changed): &(Mutex<WaitLine>, Condvar)) {
    let mut line = lock(line);
    while !line.is_over {
        if line.since.elapsed() >= PATIENCE {
            line.write();
        }
        let waited = changed.wait_timeout(line, PATIENCE);
        line = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}
