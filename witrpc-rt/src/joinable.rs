//! Threads with a bounded wait for their end.
//!
//! After the closure of a thread, the destructors of its thread-locals run: they may be user code and may
//! block. [`JoinHandle::join`] waits for these without a limit, and [`JoinHandle::is_finished`] does not wait
//! for them at all. So such a thread stores its number: when the kernel knows no thread of that number any
//! more, it has ended. In a sandbox that refuses this question, and where the system is not Linux, the thread
//! counts as ended after its closure.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{JoinHandle, ThreadId, sleep};
use std::time::{Duration, Instant};

use crate::spawn;

/// The first and the longest pause between two looks. Each is twice as long as the one before.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(5));

/// A thread whose end can be seen.
#[derive(Debug)]
pub struct Joinable {
    handle: JoinHandle<()>,
    number: Arc<OnceLock<ThreadNumber>>,
}

impl Joinable {
    /// Starts a thread of the library's. Linux keeps 15 bytes of its name.
    ///
    /// # Errors
    ///
    /// The system refuses another thread.
    pub fn spawn(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let number = Arc::<OnceLock<ThreadNumber>>::default();
        let noted = Arc::clone(&number);
        let handle = spawn(name, move || {
            noted.get_or_init(ThreadNumber::of_this_thread);
            run();
        })?;
        Ok(Self { handle, number })
    }

    /// Returns the standard library's number of the thread.
    pub fn id(&self) -> ThreadId {
        self.handle.thread().id()
    }

    /// Returns whether the thread has ended, including the destructors of its thread-locals. It reports this
    /// late if another thread has got the same number.
    pub fn has_ended(&self) -> bool {
        self.handle.is_finished() && self.number.get().is_none_or(|number| !number.is_there())
    }
}

/// The kernel's number of a thread. Where the system is not Linux there is none.
#[derive(Debug)]
struct ThreadNumber(#[cfg(target_os = "linux")] rustix::process::Pid);

impl ThreadNumber {
    fn of_this_thread() -> Self {
        Self(
            #[cfg(target_os = "linux")]
            rustix::thread::gettid(),
        )
    }

    #[cfg(target_os = "linux")]
    fn is_there(&self) -> bool {
        // The kernel accepts the number of a thread here too. In a sandbox that refuses the call, the end of
        // the destructors stays hidden.
        rustix::process::getpriority_process(Some(self.0)).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn is_there(&self) -> bool {
        false
    }
}

/// Polls until `is_so` holds, or until that time; `None` has no limit. Returns whether it holds. For events
/// without a notification that are due in a moment, such as the end of threads.
pub fn poll_until(until: Option<Instant>, mut is_so: impl FnMut() -> bool) -> bool {
    let (mut pause, longest) = PAUSES;
    loop {
        if is_so() {
            return true;
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return false;
        }
        sleep(left.map_or(pause, |left| left.min(pause)));
        pause = longest.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    struct Waits(Receiver<()>);

    impl Drop for Waits {
        fn drop(&mut self) {
            assert!(self.0.recv().is_err());
        }
    }

    thread_local!(static LOCAL: RefCell<Option<Waits>> = const { RefCell::new(None) });

    #[test]
    fn a_thread_has_ended_when_its_thread_locals_are_dropped() {
        let (open, gate) = channel();
        let waits = Waits(gate);
        let thread = Joinable::spawn("witrpc-test", move || LOCAL.set(Some(waits))).unwrap();
        assert!(poll_until(None, || thread.handle.is_finished()));
        assert!(!thread.has_ended());
        assert!(!poll_until(Some(Instant::now()), || thread.has_ended()));
        drop(open);
        assert!(poll_until(None, || thread.has_ended()));
    }
}
