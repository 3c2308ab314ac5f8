//! How a server ends: serving, draining, refusing, stopped.

use std::future;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::wake::wake;

use super::primitive::Std;
use super::stage::Stage;

/// The stage a server is in, and those who wait for the next one.
#[derive(Debug)]
pub(in crate::server) struct Life {
    stage: Stage<Std>,
    ends: Mutex<Ends>,
    changed: Condvar,
    /// The process whose threads serve. A forked child has a copy of all this and none of the
    /// threads, and a lock may have been held by one of them.
    process: u32,
}

#[derive(Debug, Default)]
struct Ends {
    /// While draining: all that had arrived was answered.
    quiet: bool,
    /// The connections are closed and the name is free.
    stopped: bool,
    wakers: Vec<Waker>,
}

impl Life {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::new(),
            ends: Mutex::new(Ends::default()),
            changed: Condvar::new(),
            process: process::id(),
        }
    }

    pub(super) fn stage(&self) -> &Stage<Std> {
        &self.stage
    }

    /// Whether a shutdown waits for calls to be answered.
    pub(super) fn is_draining(&self) -> bool {
        self.stage.is_draining()
    }

    /// Whether calls that are found now have come too late.
    #[inline]
    pub(in crate::server) fn refuses(&self) -> bool {
        self.stage.refuses()
    }

    /// Whether threads should end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stage.is_stopped()
    }

    /// Whether this process is the one that serves, not a fork of it.
    pub(super) fn is_ours(&self) -> bool {
        process::id() == self.process
    }

    /// While draining: nothing is left to be answered.
    pub(super) fn quiet(&self) {
        self.ends().quiet = true;
        self.changed.notify_all();
    }

    /// The port is closed.
    pub(super) fn stopped(&self) {
        let wakers = {
            let mut ends = self.ends();
            ends.stopped = true;
            std::mem::take(&mut ends.wakers)
        };
        self.changed.notify_all();
        wakers.into_iter().for_each(wake);
    }

    /// Waits until nothing is left to be answered, or the server is stopped, or the time is over.
    /// Returns whether nothing was left.
    pub(in crate::server) fn wait_quiet(&self, deadline: Duration) -> bool {
        if !self.is_ours() {
            return false;
        }
        let until = Instant::now().checked_add(deadline);
        let mut ends = self.ends();
        while !ends.quiet && !ends.stopped {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            ends = match left {
                None => self.changed.wait(ends).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => {
                    self.changed.wait_timeout(ends, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        ends.quiet
    }

    /// Blocks until the port is closed.
    pub(in crate::server) fn wait_stopped(&self) {
        if !self.is_ours() {
            return;
        }
        let mut ends = self.ends();
        while !ends.stopped {
            ends = self.changed.wait(ends).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Completes when the port is closed.
    pub(in crate::server) async fn until_stopped(&self) {
        future::poll_fn(|cx| {
            if !self.is_ours() {
                return Poll::Ready(());
            }
            let mut ends = self.ends();
            if ends.stopped {
                return Poll::Ready(());
            }
            if !ends.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                ends.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
