//! Tells the server which streams are not wanted any more.
//!
//! Whoever drops a stream is not to wait, and all lanes may be taken. So the number is kept, and a
//! request that names all that are kept goes as soon as there is a lane: what the channel wakes then
//! sends it. No thread and no later call is needed for that.
//!
//! # Invariants
//!
//! 1. A number that was handed in is in `numbers` or in `under_way`, or was sent, or the link is lost.
//! 2. One thread at a time polls what is under way. Whoever comes meanwhile, as a waker does that is
//!    woken during the poll, leaves `again`, and the first polls once more.
//! 3. The waker holds the streams weakly: what a channel keeps to wake does not keep the channel.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::client::flight::Flight;
use crate::tag::{MAX_CLOSED_AT_ONCE, Operation, RequestTag};
use crate::transport::{ChannelError, ClientChannel, Limit};

use super::LinkStreams;
use super::request::Control;

/// The streams of a link that are to be closed.
pub(super) struct Closing(Mutex<State>);

struct State {
    /// Those that nothing has been said of.
    numbers: Vec<u64>,
    /// The most that are said at once, learnt from what was too long.
    most: usize,
    under_way: Option<Closure>,
    /// A thread polls what is under way.
    is_polled: bool,
    /// It is to do so once more.
    again: bool,
}

/// A request that closes some.
struct Closure {
    numbers: Vec<u64>,
    flight: Flight<Arc<dyn ClientChannel>, Limit>,
}

struct GoOn(Weak<LinkStreams>);

impl Wake for GoOn {
    fn wake(self: Arc<Self>) {
        if let Some(streams) = self.0.upgrade() {
            streams.send_closures();
        }
    }
}

impl Closing {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            numbers: Vec::new(),
            most: MAX_CLOSED_AT_ONCE,
            under_way: None,
            is_polled: false,
            again: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What to send next.
    fn next(&mut self, channel: &Arc<dyn ClientChannel>) -> Option<Closure> {
        if let Some(closure) = self.under_way.take() {
            return Some(closure);
        }
        if self.numbers.is_empty() {
            return None;
        }
        let rest = self.numbers.split_off(self.numbers.len().min(self.most));
        let numbers = mem::replace(&mut self.numbers, rest);
        Some(Closure { numbers, flight: Flight::new(Arc::clone(channel), Limit::Never) })
    }

    /// Keeps what could not be sent.
    fn keep(&mut self, closure: Closure, error: &ChannelError) {
        let Closure { numbers, flight } = closure;
        drop(flight);
        match error {
            ChannelError::TooLarge { .. } if numbers.len() > 1 => {
                self.most = numbers.len() / 2;
                self.numbers.extend(numbers);
            }
            // With the link, all of its streams are lost.
            _ => self.numbers.clear(),
        }
    }
}

impl LinkStreams {
    /// Tells the server that a stream is not wanted any more, without ever waiting.
    pub(in crate::client) fn close(self: &Arc<Self>, number: u64) {
        self.closing.lock().numbers.push(number);
        self.send_closures();
    }

    fn send_closures(self: &Arc<Self>) {
        let mut state = self.closing.lock();
        if state.is_polled {
            state.again = true;
            return;
        }
        state.is_polled = true;
        while let Some(mut closure) = state.next(&self.channel) {
            state.again = false;
            drop(state);
            let sent = closure.poll(self);
            state = self.closing.lock();
            match sent {
                // The server knows now, or will: its answer frees the lane.
                Poll::Ready(Ok(())) => drop(closure),
                Poll::Ready(Err(error)) => state.keep(closure, &error),
                Poll::Pending => {
                    state.under_way = Some(closure);
                    if !state.again {
                        break;
                    }
                }
            }
        }
        state.is_polled = false;
    }
}

impl Closure {
    fn poll(&mut self, streams: &Arc<LinkStreams>) -> Poll<Result<(), ChannelError>> {
        let waker = Waker::from(Arc::new(GoOn(Arc::downgrade(streams))));
        let mut control = Control::new(RequestTag::of(Operation::Close), streams.codec);
        control
            .add(|body| {
                body.number("count", self.numbers.len() as u64)?;
                self.numbers.iter().try_for_each(|number| body.number("stream", *number))
            })
            .expect("numbers always encode");
        let mut cx = Context::from_waker(&waker);
        control.with_message(|message| self.flight.poll_try_send(&mut cx, message))
    }
}
