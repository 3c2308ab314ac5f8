//! Locks that keep working after a panic.
//!
//! No user code runs under a lock of these crates, and the state under a lock is consistent between any two
//! statements that change it. So a lock that a panicking thread held is safe to use.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Locks a mutex, even if a thread has panicked while it held the lock.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `changed` is notified, for at most `time`. `None` waits without a limit. It may also return
/// spuriously.
pub fn wait<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Option<Duration>,
) -> MutexGuard<'a, T> {
    match time {
        None => changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
        Some(time) => changed.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0,
    }
}

/// Waits until `is_so` holds, at most until that time. `None` waits without a limit. Returns the lock, and
/// whether it holds.
pub fn wait_until<'a, T>(
    changed: &Condvar,
    mut guard: MutexGuard<'a, T>,
    until: Option<Instant>,
    mut is_so: impl FnMut(&T) -> bool,
) -> (MutexGuard<'a, T>, bool) {
    loop {
        if is_so(&guard) {
            return (guard, true);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return (guard, false);
        }
        guard = wait(changed, guard, left);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_lock_goes_on_after_a_panic_under_it() {
        let mutex = Mutex::new(1);
        let panicked = catch_unwind(|| {
            let _guard = lock(&mutex);
            panic!("as this test wants it");
        });
        assert!(panicked.is_err() && mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
    }

    #[test]
    fn a_wait_ends_at_its_time_or_once_it_is_so() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let (mutex, changed) = &*shared;
        let now = Some(Instant::now());
        assert!(!wait_until(changed, lock(mutex), now, |so| *so).1);
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            *lock(&theirs.0) = true;
            theirs.1.notify_all();
        });
        assert!(wait_until(changed, lock(mutex), None, |so| *so).1);
        thread.join().expect("it does not panic");
    }
}
