//! The future that sleeps until its lane shows an answer.
//!
//! # Invariants
//!
//! 1. A slot holds at most one sleeper, under the seq of the line that its call waits for. Only the
//!    lane's owner puts one there.
//! 2. A sleeper leaves the slot in one of two ways. It is woken, or its own call takes it out because
//!    it needs no wake-up any more.
//! 3. The sleeper of a call whose answer is moved off its lane is taken out before the lane is free
//!    ([`hand_on`](SleeperSlot::hand_on)). From then on the slot is the next owner's.
//! 4. Should a sleeper of another call be found all the same, it is woken and never dropped: at worst its
//!    task looks in vain.
//!
//! Wakers run foreign code. They are run and dropped outside of the lock.

#[cfg(test)]
mod model;

use crate::memory::words::{Lock, Words};
use crate::wakeup::wake::Wakeup;

/// A future that sleeps until its lane's response line shows `seq`.
#[derive(Debug)]
pub struct Sleeper<T, S> {
    pub seq: u64,
    pub task: T,
    /// What stays from one sleep of a call to the next.
    pub stall_timer: S,
}

/// A lane's sleeper, if there is one. See the head of this file.
pub struct SleeperSlot<W: Words, T, S>(W::Lock<Option<Sleeper<T, S>>>);

impl<W: Words, T, S> Default for SleeperSlot<W, T, S> {
    fn default() -> Self {
        Self(W::Lock::new(None))
    }
}

impl<W: Words, T: Wakeup, S: Copy> SleeperSlot<W, T, S> {
    /// Puts a sleeper there. One of the same call, from an earlier poll, leaves it its `stall_timer`, which is
    /// returned.
    pub fn put(&self, mut sleeper: Sleeper<T, S>) -> S {
        let seq = sleeper.seq;
        let (earlier, stall_timer) = self.0.locked(|slot| {
            let earlier = slot.take();
            if let Some(earlier) = &earlier
                && earlier.seq == seq
            {
                sleeper.stall_timer = earlier.stall_timer;
            }
            let stall_timer = sleeper.stall_timer;
            *slot = Some(sleeper);
            (earlier, stall_timer)
        });
        wake_other(earlier, seq);
        stall_timer
    }

    /// Takes the sleeper of this call out, which needs no wake-up any more.
    pub fn forget(&self, seq: u64) {
        let sleeper = self.0.locked(Option::take);
        wake_other(sleeper, seq);
    }

    /// Wakes the sleeper if it waits for `shown`. Returns whether another sleeps on.
    pub fn wake_if_answered(&self, shown: u64) -> bool {
        let (answered, sleeps_on) = self.0.locked(|slot| {
            let answered = slot.take_if(|sleeper| sleeper.seq == shown);
            (answered, slot.is_some())
        });
        wake(answered);
        sleeps_on
    }

    /// Wakes the sleeper, whatever it waits for.
    pub fn wake(&self) {
        wake(self.0.locked(Option::take));
    }

    /// Has `free` give the lane of the call to others, and wakes the call.
    pub fn hand_on(&self, seq: u64, free: impl FnOnce()) {
        let sleeper = self.0.locked(|slot| slot.take_if(|sleeper| sleeper.seq == seq));
        free();
        wake(sleeper);
    }

    /// Returns whether there is a sleeper.
    pub fn is_taken(&self) -> bool {
        self.0.locked(|slot| slot.is_some())
    }

    /// Runs `change` on what stays of the sleeper, if there is one, with the seq that it waits for.
    pub fn with_stall_timer<R>(&self, change: impl FnOnce(u64, &mut S) -> R) -> Option<R> {
        self.0.locked(|slot| {
            slot.as_mut().map(|sleeper| change(sleeper.seq, &mut sleeper.stall_timer))
        })
    }
}

fn wake<T: Wakeup, S>(sleeper: Option<Sleeper<T, S>>) {
    if let Some(sleeper) = sleeper {
        sleeper.task.wake_up();
    }
}

/// Drops what is the call's own, without the lock as its waker may be a task's last.
fn wake_other<T: Wakeup, S>(sleeper: Option<Sleeper<T, S>>, seq: u64) {
    wake(sleeper.filter(|sleeper| sleeper.seq != seq));
}
