//! Tasks that are ready, and those that wait until their client gets a worker again.
//!
//! # Invariants
//!
//! 1. A task is in one of the two lists at most once. Those in `ready` are counted by the
//!    [bell](super::bell::TaskBell). Those in `held_back` are not, and nothing rings for them: the thread whose
//!    return gives their client a worker looks at them itself.
//! 2. Only the holder of the role moves tasks from the first list to the second, and takes them out.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use witrpc_rt::lock;

use super::bell::TaskBell;
use super::permit::Permit;
use super::task::{Task, TaskHome};
use crate::rt::primitive::Std;

/// The two lists.
pub struct TaskQueue<H: TaskHome> {
    lists: Mutex<Lists<H>>,
    /// Whether any are held back. Changed under the lock, so that most looks need not take that.
    holds_back: AtomicBool,
}

struct Lists<H: TaskHome> {
    ready: VecDeque<Arc<Task<H>>>,
    held_back: VecDeque<Arc<Task<H>>>,
}

impl<H: TaskHome> TaskQueue<H> {
    /// Returns an empty queue.
    pub fn new() -> Self {
        Self { lists: Mutex::default(), holds_back: AtomicBool::new(false) }
    }

    /// Queues a task that the bell has counted.
    pub fn push(&self, task: Arc<Task<H>>) {
        lock(&self.lists).ready.push_back(task);
    }

    /// Takes the next task that may run.
    pub fn next(&self, bell: &TaskBell<Std>, permit: &Permit<'_>) -> Option<Arc<Task<H>>> {
        if !bell.any_ready() && !self.holds_back.load(Relaxed) {
            return None;
        }
        let mut lists = lock(&self.lists);
        if let Some(place) = lists.held_back.iter().position(|task| permit.allows(task.tenant)) {
            let task = lists.held_back.remove(place);
            self.holds_back.store(!lists.held_back.is_empty(), Relaxed);
            return task;
        }
        while let Some(task) = lists.ready.pop_front() {
            bell.remove();
            if permit.allows(task.tenant) {
                return Some(task);
            }
            lists.held_back.push_back(task);
            self.holds_back.store(true, Relaxed);
        }
        None
    }

    /// Returns whether there is a task that may run, after the role was put down. It may miss one that is just
    /// being queued: the thread that queues it looks at the role afterwards.
    pub fn any(&self, bell: &TaskBell<Std>, permit: &Permit<'_>) -> bool {
        if !bell.any_ready() && !self.holds_back.load(Relaxed) {
            return false;
        }
        let lists = lock(&self.lists);
        let mut all = lists.held_back.iter().chain(&lists.ready);
        all.any(|task| permit.allows(task.tenant))
    }

    /// Empties both lists.
    pub fn clear(&self) {
        let lists = std::mem::take(&mut *lock(&self.lists));
        // Outside of the lock: these may be the last to hold a future of the user's.
        drop(lists);
    }
}

impl<H: TaskHome> Default for Lists<H> {
    fn default() -> Self {
        Self { ready: VecDeque::new(), held_back: VecDeque::new() }
    }
}
