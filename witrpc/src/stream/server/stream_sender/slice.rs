//! The slice of time after which the producer of a stream lets others have its thread.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

/// The time for which a producer that could continue keeps its thread before it yields.
const SLICE: Duration = Duration::from_micros(200);

/// The number of items that it makes before it first checks the clock.
const FIRST_LOOK: u32 = 16;

/// The most items that it makes between two checks.
const MOST_ITEMS_A_LOOK: u32 = 256;

/// The slice of time for which a producer keeps its thread.
pub(super) struct Slice {
    since: Option<Instant>,
    /// How many items to make before the next check of the clock.
    left: u32,
    /// How many items to make between two checks.
    step: u32,
}

impl Slice {
    pub(super) fn new() -> Self {
        Self { since: None, left: FIRST_LOOK, step: FIRST_LOOK }
    }

    /// Counts one more item. Returns `false` when the slice is over.
    #[inline(always)]
    pub(super) fn goes_on(&mut self) -> bool {
        self.left -= 1;
        self.left > 0 || self.has_time()
    }

    /// Checks the clock. While the slice is young, the next check is twice as far away, because a check
    /// costs as much as some quick items.
    #[cold]
    fn has_time(&mut self) -> bool {
        let now = Instant::now();
        let spent = now - *self.since.get_or_insert(now);
        if spent < SLICE / 16 {
            self.step = (2 * self.step).min(MOST_ITEMS_A_LOOK);
        }
        self.left = self.step;
        spent < SLICE
    }
}

/// Lets the thread do something else first.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
