//! Whether a stream is still wanted, for the context of its method.
//!
//! The call that opens a stream is answered while its method continues. From then on, the method's
//! context cannot check whether that call was given up, because its caller has the answer.
//!
//! # Invariants
//!
//! 1. The stage only grows. It becomes `Open` before the opening call is answered. A thread may find that
//!    the call was given up, and then that the stage is still `Opening`. The call was then unanswered, so
//!    the finding is valid.
//! 2. A thread that cuts the stream sets the stage, then wakes the watchers. A thread that watches joins
//!    the watchers, then checks the stage. So at least one of the two sees the other.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::Waker;

use witrpc_rt::WakerSet;

/// The state that the context of a stream's method checks in place of its call.
#[derive(Debug)]
pub struct StreamCancel {
    stage: AtomicU8,
    /// Whether the call's deadline holds until the method ends.
    keeps_deadline: bool,
    watchers: WakerSet,
}

/// The stage of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamStage {
    /// The call that opens it is unanswered.
    Opening,
    /// The client wants it.
    Open,
    /// The client no longer wants it.
    Cut,
}

impl StreamCancel {
    /// Creates the state of a stream that the method returns, before the stream is open. The call's
    /// deadline bounds only the opening.
    pub fn returned() -> Arc<Self> {
        Self::at(StreamStage::Opening, false)
    }

    /// Creates the state of a stream that the method takes, which is open before the method begins.
    /// The call's deadline bounds the method's answer.
    pub fn taken() -> Arc<Self> {
        Self::at(StreamStage::Open, true)
    }

    fn at(stage: StreamStage, keeps_deadline: bool) -> Arc<Self> {
        let (stage, watchers) = (AtomicU8::new(stage as u8), WakerSet::default());
        Arc::new(Self { stage, keeps_deadline, watchers })
    }

    /// Returns the stage. Acquire: pairs with the change that set it.
    pub fn stage(&self) -> StreamStage {
        match self.stage.load(Acquire) {
            0 => StreamStage::Opening,
            1 => StreamStage::Open,
            _ => StreamStage::Cut,
        }
    }

    /// Returns whether the deadline of the call still applies.
    pub fn has_deadline(&self) -> bool {
        self.keeps_deadline || self.stage() == StreamStage::Opening
    }

    /// Marks the stream open. Must precede the answer to the call.
    pub fn open(&self) {
        self.stage.fetch_max(StreamStage::Open as u8, Release);
    }

    /// Marks the stream as no longer wanted, and wakes all watchers.
    pub fn cut(&self) {
        self.stage.store(StreamStage::Cut as u8, Release);
        self.watchers.wake_all();
    }

    /// Wakes `waker` when it is cut, which may be at once. Returns the key for
    /// [`unwatch`](Self::unwatch).
    pub fn watch(&self, waker: &Waker) -> u64 {
        let key = self.watchers.add((), waker);
        if self.stage() == StreamStage::Cut {
            waker.wake_by_ref();
        }
        key
    }

    /// Completes when it is cut.
    pub async fn until_cut(&self) {
        self.watchers.until(|| self.stage() == StreamStage::Cut).await;
    }

    /// Removes the watcher of this key.
    pub fn unwatch(&self, key: u64) {
        self.watchers.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn it_is_cut_once_and_for_all() {
        let line = StreamCancel::returned();
        assert!(line.stage() == StreamStage::Opening && line.has_deadline());
        line.open();
        assert!(line.stage() == StreamStage::Open && !line.has_deadline());
        line.cut();
        line.open();
        assert_eq!(line.stage(), StreamStage::Cut);
        assert!(StreamCancel::taken().has_deadline());
    }

    #[test]
    fn a_cut_wakes_each_watcher_once_and_removed_ones_never() {
        let line = StreamCancel::taken();
        let counter = Arc::<Counter>::default();
        let waker = Waker::from(Arc::clone(&counter));
        let keys = [(); 3].map(|()| line.watch(&waker));
        line.unwatch(keys[1]);
        line.cut();
        assert_eq!(counter.0.load(Relaxed), 2);
        line.cut();
        assert_eq!(counter.0.load(Relaxed), 2);
        line.unwatch(line.watch(&waker));
        assert_eq!(counter.0.load(Relaxed), 3, "a later watcher is woken at once");
        keys.into_iter().for_each(|key| line.unwatch(key));
        assert!(line.watchers.is_empty());
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1);
    }
}
