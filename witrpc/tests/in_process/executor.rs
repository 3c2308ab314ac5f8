//! As little of an executor as there can be: no runtime is needed to call.

use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs one future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once and hands it back if it is not ready.
pub(crate) fn poll_once<F: Future>(mut future: Pin<Box<F>>) -> Result<F::Output, Pin<Box<F>>> {
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(future),
    }
}

struct Queued {
    number: usize,
    ready: mpsc::Sender<usize>,
}

impl Wake for Queued {
    fn wake(self: Arc<Self>) {
        // The executor has stopped listening once all futures are done.
        let _ = self.ready.send(self.number);
    }
}

/// Runs futures together on this thread, and polls each only when it was woken.
pub(crate) fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let (ready, woken) = mpsc::channel();
    let mut tasks: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut outputs: Vec<_> = tasks.iter().map(|_| None).collect();
    let wakers: Vec<_> = (0..tasks.len())
        .map(|number| Waker::from(Arc::new(Queued { number, ready: ready.clone() })))
        .collect();
    wakers.iter().for_each(Waker::wake_by_ref);
    let mut left = tasks.len();
    while left > 0 {
        let number = woken.recv().expect("this function holds a sender");
        let Some(task) = &mut tasks[number] else { continue };
        if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(&wakers[number])) {
            outputs[number] = Some(output);
            tasks[number] = None;
            left -= 1;
        }
    }
    outputs.into_iter().map(|output| output.expect("all are done")).collect()
}
