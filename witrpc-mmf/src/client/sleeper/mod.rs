//! The future that sleeps until its lane shows an answer.
//!
//! # Invariants
//!
//! 1. A slot holds at most one sleeper, with the seq of the line that its call waits for. Only the
//!    lane's owner puts one there.
//! 2. A sleeper leaves the slot in one of two ways. It is woken, or its own call removes it because
//!    it needs no wake-up any more.
//! 3. The sleeper of a call whose answer is moved off its lane is removed before the lane is free
//!    ([`hand_on`](SleeperSlot::hand_on)). From then on the slot belongs to the next owner.
//! 4. If a sleeper of another call is found nevertheless, it is woken and never dropped. At worst
//!    its task looks in vain.
//!
//! Wakers run code of users. They are woken and dropped without the lock.

#[cfg(test)]
mod model;

use crate::memory::words::{Lock, Words};
use crate::wakeup::wake::Wakeup;

/// A future that sleeps until its lane's response line shows `seq`.
#[derive(Debug)]
pub struct Sleeper<T, S> {
    pub seq: u64,
    pub task: T,
    /// State that is kept from one sleep of a call to the next.
    pub stall_timer: S,
}

/// The place for the sleeper of a lane. See the [module](self).
pub struct SleeperSlot<W: Words, T, S>(W::Lock<Option<Sleeper<T, S>>>);

impl<W: Words, T, S> Default for SleeperSlot<W, T, S> {
    fn default() -> Self {
        Self(W::Lock::new(None))
    }
}

impl<W: Words, T: Wakeup, S: Copy> SleeperSlot<W, T, S> {
    /// Puts a sleeper there. An earlier sleeper of the same call passes its `stall_timer` on.
    /// Returns the stall timer of the new sleeper.
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

    /// Removes the sleeper of this call, which needs no wake-up any more.
    pub fn forget(&self, seq: u64) {
        let sleeper = self.0.locked(Option::take);
        wake_other(sleeper, seq);
    }

    /// Wakes the sleeper if it waits for `shown`. Returns whether another sleeper stays.
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

    /// Calls `free`, which gives the lane of the call to others, and then wakes the call.
    pub fn hand_on(&self, seq: u64, free: impl FnOnce()) {
        let sleeper = self.0.locked(|slot| slot.take_if(|sleeper| sleeper.seq == seq));
        free();
        wake(sleeper);
    }

    /// Returns whether there is a sleeper.
    pub fn is_taken(&self) -> bool {
        self.0.locked(|slot| slot.is_some())
    }

    /// Runs `change` on the stall timer of the sleeper, if there is one, with the seq that it waits
    /// for.
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

/// Wakes a sleeper of another call and drops one of call `seq`. Called without the lock, because a
/// dropped waker may be the last of its task.
fn wake_other<T: Wakeup, S>(sleeper: Option<Sleeper<T, S>>, seq: u64) {
    wake(sleeper.filter(|sleeper| sleeper.seq != seq));
}
