use std::sync::{Arc, Mutex};

use crate::memory::words::Mapped;

use super::*;

/// A task that asserts, when it is dropped, that the queue is not locked.
struct Looking {
    queue: Arc<LaneQueue<Mapped, Looking>>,
    woken: Arc<Mutex<Vec<u64>>>,
    number: u64,
}

impl Wakeup for Looking {
    fn wake_up(self) {
        self.woken.lock().unwrap().push(self.number);
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        assert!(self.queue.entries.try_lock().is_ok(), "woken or dropped under the lock");
    }
}

/// Lanes of which this many are always free.
struct Free(usize);

impl FreeLanes for Free {
    fn free(&self) -> usize {
        self.0
    }

    fn take(&self) -> Option<usize> {
        Some(7)
    }
}

#[test]
fn as_many_are_called_as_lanes_are_free_and_each_once() {
    let queue = Arc::new(LaneQueue::<Mapped, Looking>::new(0.into()));
    let woken = Arc::new(Mutex::default());
    let task = |number| {
        let (queue, woken) = (Arc::clone(&queue), Arc::clone(&woken));
        Looking { queue, woken, number }
    };
    let mut places: Vec<_> = (0..5).map(|_| LanePlace::default()).collect();
    for (number, place) in (0..).zip(&mut places) {
        queue.enter(place, task(number));
        queue.enter(place, task(number));
    }
    let take_woken = || std::mem::take(&mut *woken.lock().unwrap());
    queue.call_next(&Free(2));
    queue.call_next(&Free(2));
    assert_eq!(take_woken(), [0, 1]);
    assert_eq!(queue.try_take(&places[2], &Free(2)), None, "it is not its turn");
    queue.leave(&mut places[0], &Free(2));
    assert_eq!(take_woken(), [2], "it has moved up");
    // In two turns the first two do not come.
    queue.pass_over_late(&Free(2));
    queue.pass_over_late(&Free(2));
    assert_eq!(take_woken(), [3, 4]);
    assert_eq!(queue.try_take(&places[1], &Free(5)), None, "it is not in the queue");
    queue.enter(&mut places[1], task(1));
    assert_eq!(queue.try_take(&places[4], &Free(1)), None, "the late one was there before");
    assert_eq!(queue.try_take(&places[1], &Free(1)), Some(7));
    queue.wake_all();
    assert_eq!(take_woken(), [0; 0], "both have been called");
    assert!(queue.is_empty());
}
