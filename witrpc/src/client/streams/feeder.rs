//! Feeds a stream from a thread that blocks.
//!
//! One thread has the items made, another pushes what has been made meanwhile. So no item waits for
//! the one after it, which may take as long as it likes, and those that are made quickly travel
//! together.

use std::panic::resume_unwind;
use std::task::{Context, Poll, ready};
use std::thread;

use crate::__private::v1::Wire;
use crate::client::cancel_token::{CancelToken, Watch};
use crate::client::flight::block_on;
use crate::codec::{Batch, Piece};
use crate::error::CallError;
use crate::rt::spawn_scoped;

use super::exchange::{End, Exchange, Found};
use super::push::{Pusher, Target, not_encoded};

/// Pushes all items, or as many as the server wants.
pub(in crate::client) fn feed<T: Wire>(
    target: &Target<'_>,
    items: impl Iterator<Item = T>,
) -> Result<(), CallError> {
    let exchange = Exchange::new();
    thread::scope(|scope| {
        let push = || Feeder::new(target, &exchange).run();
        let (made, pushed) = match spawn_scoped(scope, "witrpc-feed", push) {
            Ok(pusher) => {
                let made = make(items, target, &exchange, || true);
                (made, pusher.join().unwrap_or_else(|panic| resume_unwind(panic)))
            }
            // Without a thread of its own, pushing takes turns with making.
            Err(_) => {
                let (mut feeder, mut pushed) = (Feeder::new(target, &exchange), None);
                let made = make(items, target, &exchange, || {
                    pushed = feeder.run_while_busy();
                    pushed.is_none()
                });
                (made, pushed.unwrap_or_else(|| feeder.run()))
            }
        };
        made.and(pushed)
    })
}

/// Has the items made and leaves them for the pusher, for as long as those and `each` want more.
fn make<T: Wire>(
    items: impl Iterator<Item = T>,
    target: &Target<'_>,
    exchange: &Exchange<T>,
    mut each: impl FnMut() -> bool,
) -> Result<(), CallError> {
    /// Ends what is pushed, also when making an item panics.
    struct Ends<'e, T: Wire>(&'e Exchange<T>, End);
    impl<T: Wire> Drop for Ends<'_, T> {
        fn drop(&mut self) {
            self.0.end(self.1);
        }
    }

    let mut ends = Ends(exchange, End::Broken);
    for item in items {
        let piece = Piece::new(item, target.codec()).map_err(not_encoded)?;
        if !exchange.put(piece) || !each() {
            break;
        }
    }
    ends.1 = End::Whole;
    Ok(())
}

/// While the channel has it look for an answer again and again, the maker may need this processor: it
/// gets it at the first look in vain, and then after so many, which take some microseconds. Not at
/// each, since the channel counts on looks to be short.
const YIELD_EVERY: u32 = 64;

/// The thread that pushes.
struct Feeder<'a, T: Wire> {
    exchange: &'a Exchange<T>,
    pusher: Pusher<'a, T>,
    /// An empty one.
    spare: Batch<T>,
    cancelled: Option<Watch>,
    /// How often it has looked in vain for the answer to the present push.
    looks: u32,
}

impl<'a, T: Wire> Feeder<'a, T> {
    fn new(target: &'a Target<'a>, exchange: &'a Exchange<T>) -> Self {
        let cancelled = target.connection.token().map(CancelToken::watch);
        let (pusher, spare) = (Pusher::new(target), Batch::new());
        Self { exchange, pusher, spare, cancelled, looks: 0 }
    }

    /// Pushes what comes, to the end.
    fn run(mut self) -> Result<(), CallError> {
        block_on(|cx| {
            let polled = self.poll(cx);
            if polled.is_pending() {
                if self.looks.is_multiple_of(YIELD_EVERY) {
                    thread::yield_now();
                }
                self.looks = self.looks.wrapping_add(1);
            }
            polled
        })
    }

    /// Pushes what is there; how it ended, if it has.
    fn run_while_busy(&mut self) -> Option<Result<(), CallError>> {
        block_on(|cx| match self.poll(cx) {
            Poll::Pending if self.pusher.is_idle() => Poll::Ready(None),
            polled => polled.map(Some),
        })
    }

    /// Completes when nothing more is to be pushed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        loop {
            if self.cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            if !self.pusher.is_idle() {
                if self.exchange.poll_broken(cx) {
                    return Poll::Ready(Ok(()));
                }
                if !ready!(self.pusher.poll(cx))? {
                    return Poll::Ready(Ok(()));
                }
            }
            match ready!(self.exchange.poll_take(cx, &mut self.spare)) {
                Found::Batch { is_last } => {
                    self.pusher.begin(&mut self.spare, is_last);
                    self.looks = 0;
                }
                Found::Broken => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Whatever ends the pushing, the maker does not wait for it any more.
impl<T: Wire> Drop for Feeder<'_, T> {
    fn drop(&mut self) {
        self.exchange.stop();
    }
}
