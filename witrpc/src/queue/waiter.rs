//! Who waits for a call, and what a look at it gives.
//!
//! Wakers are foreign code: whoever takes one out of a call wakes or drops it outside of every lock.

use std::task::Waker;
use std::thread::Thread;

use witrpc_rt::wake;
use witrpc_transport::ChannelError;

use crate::rt::Alarm;

/// Who waits for a call, and until when.
#[derive(Default)]
pub struct CallWaiter {
    pub waiter: Option<Waiter>,
    pub alarm: Option<Alarm>,
    /// The request belongs to a call that has begun: it is sent while the server drains its calls too.
    pub continues: bool,
}

/// How to wake who waits.
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

/// What a look at a call gave.
pub enum Progress<T> {
    /// It is over; the alarm, if there was one, is to be taken back.
    Done(Result<T, ChannelError>, CallWaiter),
    /// Not yet. The waiter is in place; this was there before.
    Wait(Option<Waiter>),
}
