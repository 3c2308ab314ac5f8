//! Whether anybody still wants a stream, for the context of its method.
//!
//! The call that opens a stream is answered while its method goes on, so from then on the method's
//! context cannot ask for that call: whoever might give it up has its answer.
//!
//! # Invariants
//!
//! 1. The stage only grows. It is `Open` before the opening call is answered: whoever finds that the
//!    call has been given up, and the stage still `Opening` after that, has found it of a call that
//!    is unanswered.
//! 2. Whoever cuts it sets the stage, then wakes the watchers. Whoever watches joins them, then looks at
//!    the stage.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::Waker;

use witrpc_rt::WakerSet;

/// What the context of a stream's method asks in the place of its call.
#[derive(Debug)]
pub struct StreamCancel {
    stage: AtomicU8,
    /// Whether a deadline that the call has holds for the method to its end.
    keeps_deadline: bool,
    watchers: WakerSet,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamStage {
    /// The call that opens it is unanswered.
    Opening,
    /// Somebody wants it.
    Open,
    /// Nobody does any more.
    Cut,
}

impl StreamCancel {
    /// Of a stream that the method returns, before it is open. The deadline of the call is one for the
    /// opening.
    pub fn returned() -> Arc<Self> {
        Self::at(StreamStage::Opening, false)
    }

    /// Of a stream that the method takes, which is open before the method begins. The deadline of the
    /// call is one for the method's answer.
    pub fn taken() -> Arc<Self> {
        Self::at(StreamStage::Open, true)
    }

    fn at(stage: StreamStage, keeps_deadline: bool) -> Arc<Self> {
        let (stage, watchers) = (AtomicU8::new(stage as u8), WakerSet::default());
        Arc::new(Self { stage, keeps_deadline, watchers })
    }

    /// How far it is. Acquire: pairs with the change that it has found.
    pub fn stage(&self) -> StreamStage {
        match self.stage.load(Acquire) {
            0 => StreamStage::Opening,
            1 => StreamStage::Open,
            _ => StreamStage::Cut,
        }
    }

    /// Whether the deadline of the call still holds.
    pub fn has_deadline(&self) -> bool {
        self.keeps_deadline || self.stage() == StreamStage::Opening
    }

    /// The call is about to be answered, since the stream is open.
    pub fn open(&self) {
        self.stage.fetch_max(StreamStage::Open as u8, Release);
    }

    /// Nobody wants the stream any more: wakes all who watch.
    pub fn cut(&self) {
        self.stage.store(StreamStage::Cut as u8, Release);
        self.watchers.wake_all();
    }

    /// Has `waker` woken once it is cut, which may be at once. Gives the key by which
    /// [`unwatch`](Self::unwatch) takes it back.
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

    /// Wakes nobody for this key any more.
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
    fn those_who_watch_are_woken_once_and_the_others_never() {
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
        assert_eq!(counter.0.load(Relaxed), 3, "who comes later is told at once");
        keys.into_iter().for_each(|key| line.unwatch(key));
        assert!(line.watchers.is_empty());
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1);
    }
}
