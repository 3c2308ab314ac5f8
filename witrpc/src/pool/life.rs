//! How a server ends: serving, draining, refusing, stopped.

use std::future::poll_fn;
use std::pin::pin;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Instant;

use witrpc_rt::{WakerSet, lock, wait_until};
use witrpc_transport::Shutdown;

use super::stage::ServerStage;
use super::stop_reason::StopReason;
use crate::rt::primitive::Std;

/// The stage of a server, with the threads and tasks that wait for the next one.
#[derive(Debug)]
pub struct Life {
    pub stage: ServerStage<Std>,
    ends: Mutex<Ends>,
    changed: Condvar,
    /// Tasks that wait for the end.
    waiters: WakerSet,
    /// The process whose threads serve. A forked child has a copy of all this without the threads, perhaps with
    /// a lock held by one of them.
    process: u32,
}

#[derive(Debug, Default)]
struct Ends {
    /// Set while draining, once all that had arrived was answered.
    quiet: bool,
    /// How the connections were closed and why. Set once the name is free.
    stopped: Option<(Shutdown, StopReason)>,
}

impl Ends {
    /// Returns why it has stopped.
    fn reason(&self) -> StopReason {
        self.stopped.map_or(StopReason::ShutDown, |(_, why)| why)
    }
}

impl Life {
    pub fn new() -> Self {
        Self {
            stage: ServerStage::new(),
            ends: Mutex::new(Ends::default()),
            changed: Condvar::new(),
            waiters: WakerSet::default(),
            process: process::id(),
        }
    }

    /// Returns whether a shutdown waits for calls to be answered.
    pub fn is_draining(&self) -> bool {
        self.stage.is_draining()
    }

    /// Returns whether calls that are found now have come too late.
    #[inline]
    pub fn refuses(&self) -> bool {
        self.stage.refuses()
    }

    /// Returns whether threads should end.
    pub fn is_stopped(&self) -> bool {
        self.stage.is_stopped()
    }

    /// Returns whether this process is the one that serves, not a fork of it.
    pub fn is_ours(&self) -> bool {
        process::id() == self.process
    }

    /// Notes, while draining, that nothing is left to be answered.
    pub fn quiet(&self) {
        self.ends().quiet = true;
        self.changed.notify_all();
    }

    /// Notes that the port is closed in this way.
    pub fn stopped(&self, how: Shutdown, why: StopReason) {
        self.ends().stopped = Some((how, why));
        self.changed.notify_all();
        self.waiters.wake_all();
    }

    /// Waits until nothing is left to be answered, the server is stopped, or the time is over. Returns whether
    /// nothing was left.
    pub fn wait_quiet(&self, until: Option<Instant>) -> bool {
        self.is_ours() && self.wait_until(until, |ends| ends.quiet || ends.stopped.is_some()).quiet
    }

    /// Blocks until the port is closed or the time is over. Returns whether it is closed; in a forked child,
    /// `false`.
    pub fn wait_stopped(&self, until: Option<Instant>) -> bool {
        self.is_ours() && self.wait_until(until, |ends| ends.stopped.is_some()).stopped.is_some()
    }

    /// Returns whether the clients were informed that unanswered calls were not taken.
    pub fn has_drained(&self) -> bool {
        self.is_ours() && self.ends().stopped.is_some_and(|(how, _)| how == Shutdown::Drained)
    }

    fn wait_until(&self, until: Option<Instant>, is_so: fn(&Ends) -> bool) -> MutexGuard<'_, Ends> {
        wait_until(&self.changed, self.ends(), until, is_so).0
    }

    /// Blocks until the port is closed, and returns why it is.
    pub fn until_stopped_blocking(&self) -> StopReason {
        if !self.is_ours() {
            return StopReason::Forked;
        }
        self.wait_until(None, |ends| ends.stopped.is_some()).reason()
    }

    /// Waits until the port is closed.
    pub async fn until_stopped(&self) -> StopReason {
        let mut stopped = pin!(self.waiters.until(|| self.ends().stopped.is_some()));
        poll_fn(|cx| {
            if !self.is_ours() {
                return Poll::Ready(StopReason::Forked);
            }
            stopped.as_mut().poll(cx).map(|()| self.ends().reason())
        })
        .await
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        lock(&self.ends)
    }
}
