//! The threads of one server, which a shutdown joins.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use witrpc_rt::{Joinable, lock, poll_until, wait_until};

/// The threads of one server: starts them and waits for their end. Clones share them. It keeps no thread
/// running.
#[derive(Clone, Default)]
pub struct Threads(Arc<ThreadsShared>);

#[derive(Default)]
struct ThreadsShared {
    state: Mutex<ThreadsState>,
    /// Notified when a thread has ended.
    changed: Condvar,
}

#[derive(Default)]
struct ThreadsState {
    running: usize,
    handles: Vec<Joinable>,
}

/// A guard that the closure of a thread drops last.
struct Running(Threads);

impl Threads {
    /// Starts a thread. Linux keeps 15 bytes of its name.
    ///
    /// # Errors
    ///
    /// The system refuses another thread.
    pub fn spawn(&self, name: String, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        lock(&self.0.state).running += 1;
        // If no thread is started, this is dropped with the closure.
        let running = Running(self.clone());
        let handle = Joinable::spawn(name, move || {
            let _running = running;
            run();
        })?;
        let mut state = lock(&self.0.state);
        state.handles.retain(|thread| !thread.has_ended());
        state.handles.push(handle);
        Ok(())
    }

    /// Waits until all threads have ended, or the time is over. Returns whether they have ended.
    pub fn join(&self, until: Option<Instant>) -> bool {
        let no_thread = |state: &ThreadsState| state.running == 0;
        // The sleep covers the long part: methods that still run.
        wait_until(&self.0.changed, lock(&self.0.state), until, no_thread).1
            && poll_until(until, || {
                let mut state = lock(&self.0.state);
                state.handles.retain(|thread| !thread.has_ended());
                state.handles.is_empty()
            })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.0.state).running -= 1;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_join_waits_for_all_threads_until_its_time_is_over() {
        let threads = Threads::default();
        let (end, ends) = mpsc::channel::<()>();
        threads.spawn("waits".to_owned(), move || assert!(ends.recv().is_err())).unwrap();
        threads.spawn("does not".to_owned(), || {}).unwrap();
        assert!(!threads.join(Some(Instant::now())));
        assert!(!threads.join(Some(Instant::now() + Duration::from_millis(1))));
        drop(end);
        assert!(threads.join(None));
        assert!(lock(&threads.0.state).handles.is_empty());
    }
}
