//! What waits for a call, and what a look at it gives.
//!
//! Wakers are foreign code: a thread that takes one out of a call wakes or drops it outside of every lock.

use std::task::Waker;
use std::thread::Thread;

use witrpc_rt::wake;
use witrpc_transport::ChannelError;

use crate::rt::Alarm;

/// A thread or task that waits for a call, and until when.
#[derive(Default)]
pub struct CallWaiter {
    pub waiter: Option<Waiter>,
    pub alarm: Option<Alarm>,
    /// The request belongs to a call that has begun: it is sent even while the server drains its calls.
    pub continues: bool,
}

/// The means to wake a thread or task that waits.
pub enum Waiter {
    Task(Waker),
    Thread(Thread),
}

impl Waiter {
    pub fn wake(self) {
        match self {
            Waiter::Task(waker) => wake(waker),
            Waiter::Thread(thread) => thread.unpark(),
        }
    }
}

/// The result of a look at a call.
pub enum Progress<T> {
    /// It is over. The alarm, if there was one, must be taken back.
    Done(Result<T, ChannelError>, CallWaiter),
    /// Not yet. The waiter is in place; this is the one that was there before.
    Wait(Option<Waiter>),
}
