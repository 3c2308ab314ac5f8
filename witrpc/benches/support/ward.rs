//! A service whose handlers look after their callers.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use rustix::time::{ClockId, clock_gettime};
use witrpc::{CallContext, wit_service};

/// Handlers that go on until their call is cancelled. Rounds are numbered from 1.
#[wit_service]
pub(crate) trait Ward {
    /// Looks again and again.
    fn look(&self, round: u64, #[wit(ctx)] cx: &CallContext);
    /// Waits, as a task.
    async fn wait(&self, round: u64, #[wit(ctx)] cx: &CallContext);
    /// The round that has begun last.
    fn begun(&self) -> u64;
    /// The round that has ended last, and when its handler saw that it was to.
    fn ended(&self) -> (u64, u64);
}

#[derive(Default)]
pub(crate) struct Watch {
    begun: AtomicU64,
    ended: AtomicU64,
    ended_at: AtomicU64,
}

impl Watch {
    fn note_end(&self, round: u64) {
        self.ended_at.store(now(), SeqCst);
        self.ended.store(round, SeqCst);
    }
}

impl Ward for Watch {
    fn look(&self, round: u64, cx: &CallContext) {
        self.begun.store(round, SeqCst);
        while !cx.cancelled() {
            std::hint::spin_loop();
        }
        self.note_end(round);
    }

    async fn wait(&self, round: u64, cx: &CallContext) {
        self.begun.store(round, SeqCst);
        cx.until_cancelled().await;
        self.note_end(round);
    }

    fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    fn ended(&self) -> (u64, u64) {
        (self.ended.load(SeqCst), self.ended_at.load(SeqCst))
    }
}

/// Nanoseconds of the clock that all processes of the machine share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
