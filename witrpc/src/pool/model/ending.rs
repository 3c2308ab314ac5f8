//! Models of the end of a server: what still runs, and which thread drops what waits.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::Arc;
use loom::thread;

use crate::pool::stage::ServerStage;
use crate::pool::task_end::{is_to_end, take_behind_stop};
use crate::pool::thread_count::ThreadCount;
use crate::rt::primitive::Loom;

use super::{LoomWord, check};

/// The rule of [`ServerStage`] that is broken.
#[derive(Clone, Copy, PartialEq)]
enum BrokenStage {
    Nothing,
    /// The server is found quiet before it refuses what comes.
    RefusesAfterLook,
    /// A thread that has taken the role does not fence before it looks at the stage.
    EntersWithoutFence,
}

/// Makes a call from a client and wakes a thread for it, while another thread finds the server quiet.
fn a_call_at_the_end(broken: BrokenStage) {
    check(move || {
        let server =
            Arc::new((ServerStage::<Loom>::new(), ThreadCount::<Loom>::new(4), LoomWord::new(0)));
        // Both stand by: the other one has put the role down.
        server.1.hire();
        server.1.hire();
        server.0.begin_draining();
        let woken = {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                let (stage, thread_count, ran) = &*server;
                let _ = thread_count.promote();
                if broken != BrokenStage::EntersWithoutFence {
                    stage.enter();
                }
                if !stage.refuses() {
                    ran.store(1, Relaxed);
                }
                // What it ran is answered.
                thread_count.stand_by();
            })
        };
        let (stage, thread_count, ran) = &*server;
        let all_stand_by = || thread_count.counts().all_stand_by();
        let is_quiet = match broken {
            BrokenStage::RefusesAfterLook => {
                let is_quiet = all_stand_by();
                stage.begin_refusing();
                is_quiet
            }
            _ => stage.settle(all_stand_by),
        };
        let ran_before = ran.load(Relaxed);
        woken.join().unwrap();
        if is_quiet {
            assert_eq!(ran.load(Relaxed), ran_before, "a method ran behind the promise");
        }
    });
}

#[test]
fn a_server_that_was_found_quiet_runs_no_method() {
    a_call_at_the_end(BrokenStage::Nothing);
}

#[test]
#[should_panic(expected = "behind the promise")]
fn a_server_that_refuses_after_its_look_runs_one() {
    a_call_at_the_end(BrokenStage::RefusesAfterLook);
}

#[test]
#[should_panic(expected = "behind the promise")]
fn a_thread_that_enters_without_a_fence_runs_one() {
    a_call_at_the_end(BrokenStage::EntersWithoutFence);
}

/// The rule of [`task_end`](super::super::task_end) that is broken.
#[derive(Clone, Copy, PartialEq)]
enum BrokenEnd {
    Nothing,
    /// The thread that ends the server tries the lock without a fence.
    TriesWithoutFence,
    /// The thread that polls looks at the stage before it lets go of the lock.
    LooksUnderLock,
    /// It looks without a fence.
    LooksWithoutFence,
}

/// A task with its lock, which is the weakest one that excludes.
struct LockedTask {
    stage: ServerStage<Loom>,
    is_locked: LoomWord,
    /// 1 once the task has been dropped.
    dropped: LoomWord,
}

impl LockedTask {
    fn try_lock(&self) -> bool {
        self.is_locked.compare_exchange(0, 1, Acquire, Relaxed).is_ok()
    }

    fn unlock(&self) {
        self.is_locked.store(0, Release);
    }

    /// Drops the task, unless a thread has the lock or has dropped it.
    fn try_drop(&self) -> Option<()> {
        if !self.try_lock() {
            return None;
        }
        self.dropped.store(1, Relaxed);
        self.unlock();
        Some(())
    }
}

/// Ends a server while a thread polls a task that will wait.
fn a_task_at_the_end(broken: BrokenEnd) {
    check(move || {
        let task = Arc::new(LockedTask {
            stage: ServerStage::new(),
            is_locked: LoomWord::new(1),
            dropped: LoomWord::new(0),
        });
        let poller = {
            let task = Arc::clone(&task);
            thread::spawn(move || {
                let is_to_end_early = broken == BrokenEnd::LooksUnderLock && is_to_end(&task.stage);
                task.unlock();
                let ends = match broken {
                    BrokenEnd::LooksUnderLock => is_to_end_early,
                    BrokenEnd::LooksWithoutFence => task.stage.is_stopped(),
                    _ => is_to_end(&task.stage),
                };
                if ends {
                    take_behind_stop::<Loom, _>(|| task.try_drop());
                }
            })
        };
        task.stage.begin_stop();
        if broken == BrokenEnd::TriesWithoutFence {
            task.try_drop();
        } else {
            take_behind_stop::<Loom, _>(|| task.try_drop());
        }
        poller.join().unwrap();
        assert_eq!(task.dropped.load(Relaxed), 1, "the task is left");
    });
}

#[test]
fn a_task_is_dropped_once_when_the_server_ends() {
    a_task_at_the_end(BrokenEnd::Nothing);
}

#[test]
#[should_panic(expected = "the task is left")]
fn a_server_that_ends_without_a_fence_leaves_a_task() {
    a_task_at_the_end(BrokenEnd::TriesWithoutFence);
}

#[test]
#[should_panic(expected = "the task is left")]
fn a_thread_that_looks_before_it_lets_go_leaves_a_task() {
    a_task_at_the_end(BrokenEnd::LooksUnderLock);
}

#[test]
#[should_panic(expected = "the task is left")]
fn a_thread_that_looks_without_a_fence_leaves_a_task() {
    a_task_at_the_end(BrokenEnd::LooksWithoutFence);
}
