//! Work that blocks, on a thread of its own, for those who must not.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use witrpc_rt::lock;

use super::spawn;

/// Where the thread leaves the result.
struct Meeting<T> {
    result: Option<T>,
    waker: Option<Waker>,
}

/// Runs `work` on a short-lived thread and completes when it is done. Dropped before, it lets the
/// work go on, and drops the result.
///
/// # Errors
///
/// There can be no thread.
pub(crate) async fn offload<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let ours = Arc::new(Mutex::new(Meeting { result: None, waker: None }));
    let theirs = Arc::clone(&ours);
    spawn(name, move || {
        let result = work();
        let mut meeting = lock(&theirs);
        meeting.result = Some(result);
        let waker = meeting.waker.take();
        drop(meeting);
        if let Some(waker) = waker {
            waker.wake();
        }
    })?;
    let result = std::future::poll_fn(|cx| {
        // Cloned, and dropped, without the lock: it is code of the user's.
        let waker = cx.waker().clone();
        let mut meeting = lock(&ours);
        let result = meeting.result.take();
        let former = meeting.waker.replace(waker);
        drop(meeting);
        drop(former);
        result.map_or(Poll::Pending, Poll::Ready)
    });
    Ok(result.await)
}
