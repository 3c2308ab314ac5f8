//! The smallest executor that keeps a number of futures in flight on one thread.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Acquire, Release},
};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Which futures have been woken: a bit each.
struct Ready {
    bits: AtomicU64,
    asleep: AtomicBool,
    thread: Thread,
}

struct Slot {
    ready: Arc<Ready>,
    bit: u64,
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.bits.fetch_or(self.bit, AcqRel);
        if self.ready.asleep.load(Acquire) {
            self.ready.thread.unpark();
        }
    }
}

/// Runs up to 64 futures to their ends.
pub(crate) fn run_all<F: Future<Output = ()>>(futures: impl Iterator<Item = F>) {
    let (thread, asleep) = (thread::current(), AtomicBool::new(false));
    let ready = Arc::new(Ready { bits: AtomicU64::new(0), asleep, thread });
    let mut slots: Vec<(Pin<Box<F>>, Waker)> = futures
        .enumerate()
        .map(|(index, future)| {
            let slot = Slot { ready: Arc::clone(&ready), bit: 1 << index };
            (Box::pin(future), Arc::new(slot).into())
        })
        .collect();
    assert!(slots.len() <= 64, "a bit for each future");
    let mut running = u64::MAX >> (64 - slots.len());
    ready.bits.store(running, Release);
    while running != 0 {
        let mut woken = next_woken(&ready) & running;
        while woken != 0 {
            let index = woken.trailing_zeros() as usize;
            woken &= woken - 1;
            let (future, waker) = &mut slots[index];
            if future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
                running &= !(1 << index);
            }
        }
    }
}

fn next_woken(ready: &Ready) -> u64 {
    loop {
        let woken = ready.bits.swap(0, AcqRel);
        if woken != 0 {
            return woken;
        }
        ready.asleep.store(true, Release);
        // A wake that did not see this comes before the next look.
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        if ready.bits.load(Acquire) == 0 {
            thread::park();
        }
        ready.asleep.store(false, Release);
    }
}

/// Runs one future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
