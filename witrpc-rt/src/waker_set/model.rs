//! loom models: tasks that wait, and threads that wake them. A lost wake-up is a deadlock, which loom reports.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc as StdArc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::WakerSet;

/// A task that checks the lock when it is woken and when its last waker is dropped.
struct Task<L: Send + 'static = ()> {
    set: Arc<WakerSet<L>>,
    wakes: Arc<AtomicUsize>,
}

impl<L: Send> Task<L> {
    fn waker(set: &Arc<WakerSet<L>>, wakes: &Arc<AtomicUsize>) -> Waker {
        let (set, wakes) = (Arc::clone(set), Arc::clone(wakes));
        Waker::from(StdArc::new(Self { set, wakes }))
    }
}

impl<L: Send> Wake for Task<L> {
    fn wake(self: StdArc<Self>) {
        assert!(self.set.entries.try_lock().is_ok(), "woken under the lock");
        self.wakes.fetch_add(1, Relaxed);
    }
}

impl<L: Send> Drop for Task<L> {
    fn drop(&mut self) {
        assert!(self.set.entries.try_lock().is_ok(), "dropped under the lock");
    }
}

/// Returns a set, and the count of how often its tasks were woken.
fn set_of_tasks<L>() -> (Arc<WakerSet<L>>, Arc<AtomicUsize>) {
    (Arc::new(WakerSet::default()), Arc::new(AtomicUsize::new(0)))
}

#[test]
fn no_waker_runs_or_ends_under_the_lock() {
    loom::model(|| {
        let (set, wakes) = set_of_tasks();
        let mut keys = [None; 3];
        for key in &mut keys {
            set.register(key, &Task::waker(&set, &wakes));
            set.register(key, &Task::waker(&set, &wakes));
        }
        set.leave(&mut keys[1]);
        set.wake_all();
        assert_eq!(wakes.load(Relaxed), 2);
        set.leave(&mut keys[0]);
        assert!(set.is_empty());
        set.wake_all();
        assert_eq!(wakes.load(Relaxed), 2);
    });
}

#[test]
fn tasks_that_are_meant_are_woken_and_the_others_stay() {
    loom::model(|| {
        let (set, wakes) = set_of_tasks();
        let keys = [1, 2, 1, 2].map(|label| set.add(label, &Task::waker(&set, &wakes)));
        assert!(set.wake_if(|label| *label == 1));
        assert_eq!((wakes.load(Relaxed), set.len()), (2, 2));
        set.remove(keys[0]);
        set.remove(keys[1]);
        assert!(!set.wake_if(|label| *label == 2) && set.is_empty());
        assert_eq!(wakes.load(Relaxed), 3);
    });
}

#[test]
fn a_dropped_wait_is_not_registered_any_more() {
    loom::model(|| {
        let (set, wakes) = set_of_tasks();
        let mut stays = pin!(set.until(|| false));
        assert!(stays.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for _ in 0..3 {
            let mut given_up = Box::pin(set.until(|| false));
            // Polled twice by different tasks: only the latter counts.
            for _ in 0..2 {
                let waker = Task::waker(&set, &wakes);
                let polled = given_up.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending());
            }
            assert_eq!(set.len(), 2);
            drop(given_up);
            assert_eq!(set.len(), 1);
        }
    });
}

#[test]
fn all_tasks_that_wait_are_woken_once_it_is_so() {
    loom::model(|| {
        let (set, wakes) = set_of_tasks();
        let so = AtomicBool::new(false);
        let waker = Task::waker(&set, &wakes);
        let mut cx = Context::from_waker(&waker);
        let mut waits = [(); 2].map(|()| Box::pin(set.until(|| so.load(Relaxed))));
        assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(&mut cx).is_pending()));
        so.store(true, Relaxed);
        set.wake_all();
        assert_eq!(wakes.load(Relaxed), 2);
        assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(&mut cx).is_ready()));
    });
}

/// The flag is relaxed: the lock of the set alone orders it.
#[test]
fn a_task_that_waits_is_woken_however_the_change_crosses_it() {
    loom::model(|| {
        let shared = Arc::new((WakerSet::default(), AtomicBool::new(false)));
        let theirs = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            block_on(theirs.0.until(|| theirs.1.load(Relaxed)));
        });
        shared.1.store(true, Relaxed);
        shared.0.wake_all();
        waiter.join().unwrap();
        assert!(shared.0.is_empty());
    });
}

#[test]
fn a_task_that_is_meant_is_woken_however_the_change_crosses_it() {
    loom::model(|| {
        let shared = Arc::new((WakerSet::default(), AtomicUsize::new(0)));
        let theirs = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            let mut key = None;
            block_on(poll_fn(|cx| {
                key.get_or_insert_with(|| theirs.0.add(1, cx.waker()));
                if theirs.1.load(Relaxed) == 1 { Poll::Ready(()) } else { Poll::Pending }
            }));
        });
        shared.1.store(1, Relaxed);
        assert!(!shared.0.wake_if(|label| *label == 1));
        waiter.join().unwrap();
    });
}

/// Plays a thread that gives space back. It does so under a lock of its own, and asks the set without the set's
/// lock. Another task leaves meanwhile.
#[test]
fn a_task_that_finds_nothing_under_a_lock_is_not_overlooked() {
    loom::model(|| {
        let shared = Arc::new((WakerSet::default(), Mutex::new(false)));
        let leaving = shared.0.add((), Waker::noop());
        let theirs = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            block_on(theirs.0.until(|| *theirs.1.lock().unwrap()));
        });
        shared.0.remove(leaving);
        *shared.1.lock().unwrap() = true;
        if !shared.0.is_empty() {
            shared.0.wake_all();
        }
        waiter.join().unwrap();
    });
}
