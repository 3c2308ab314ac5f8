//! Blocking work on a separate thread, for tasks that must not block.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::{io, thread};

use witrpc_rt::{lock, wake};

use super::spawn;

/// The place where the thread leaves the result.
struct Meeting<T> {
    /// The value that the work returned, or its panic.
    result: Option<thread::Result<T>>,
    waker: Option<Waker>,
}

/// Runs `work` on a short-lived thread and returns its result. If the future is dropped before, the work goes
/// on, and its result is dropped.
///
/// # Errors
///
/// The system refuses a thread.
///
/// # Panics
///
/// If `work` panics, with the same payload: as if the polling task had done the work.
pub async fn offload<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let ours = Arc::new(Mutex::new(Meeting { result: None, waker: None }));
    let theirs = Arc::clone(&ours);
    spawn(name, move || {
        // `work` is user code. Its panic must not leave the task waiting.
        let result = catch_unwind(AssertUnwindSafe(work));
        let mut meeting = lock(&theirs);
        meeting.result = Some(result);
        let waker = meeting.waker.take();
        drop(meeting);
        if let Some(waker) = waker {
            wake(waker);
        }
    })?;
    let result = poll_fn(|cx| {
        // Cloned, and dropped, outside of the lock: a waker is user code.
        let waker = cx.waker().clone();
        let mut meeting = lock(&ours);
        let result = meeting.result.take();
        let former = meeting.waker.replace(waker);
        drop(meeting);
        drop(former);
        result.map_or(Poll::Pending, Poll::Ready)
    });
    Ok(result.await.unwrap_or_else(|panic| resume_unwind(panic)))
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;

    #[test]
    fn a_panic_reaches_the_task_that_waits() {
        let waits = || block_on(offload("witrpc-test", || -> u8 { panic!("it has no key") }));
        let panic = catch_unwind(waits).expect_err("the work has panicked");
        assert_eq!(panic.downcast_ref(), Some(&"it has no key"));
        assert_eq!(block_on(offload("witrpc-test", || 7)).unwrap(), 7);
    }
}
