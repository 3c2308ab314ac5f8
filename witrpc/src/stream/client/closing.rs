//! Tells the server which streams to close.
//!
//! Dropping a stream must not block, and all lanes may be taken. So the number is kept, and one request
//! names all kept numbers as soon as there is a lane. The waker that the channel calls then sends it,
//! so this needs no thread and no later call.
//!
//! # Invariants
//!
//! 1. A number that was handed in is in one of three states. It is in `numbers`; it is in a [`Closure`]
//!    that proceeds [by itself](unattended); or it was sent, or the link is lost.
//! 2. The thread that hands in a number calls [`unattended::go_on`] after that.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use witrpc_rt::lock;
use witrpc_transport::{ChannelError, Limit};

use crate::stream::protocol::MAX_CLOSED_AT_ONCE;
use crate::tag::{Operation, RequestTag};

use super::control::Control;
use super::link_streams::LinkStreams;
use super::request::Request;
use super::unattended::{self, Errand, Unattended};

/// The streams of a link that must be closed.
pub struct Closing(Mutex<Unattended<ClosingState, Closure>>);

pub struct ClosingState {
    /// Streams whose close has not been sent.
    numbers: Vec<u64>,
    /// The most numbers in one request, learnt from requests that were too long.
    most: usize,
}

/// A request that closes some streams.
pub struct Closure {
    numbers: Vec<u64>,
    request: Request,
}

impl Closing {
    pub fn new() -> Self {
        let state = ClosingState { numbers: Vec::new(), most: MAX_CLOSED_AT_ONCE };
        Self(Mutex::new(Unattended::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, Unattended<ClosingState, Closure>> {
        lock(&self.0)
    }
}

impl ClosingState {
    /// Keeps the numbers that could not be sent.
    fn keep(&mut self, numbers: Vec<u64>, error: &ChannelError) {
        match error {
            ChannelError::TooLarge { .. } if numbers.len() > 1 => {
                self.most = numbers.len() / 2;
                self.numbers.extend(numbers);
            }
            // The link is lost, and all its streams with it.
            _ => self.numbers.clear(),
        }
    }
}

impl LinkStreams {
    /// Tells the server to close a stream, without ever blocking.
    pub fn close(self: &Arc<Self>, number: u64) {
        if self.is_forked() {
            return;
        }
        self.closing.lock().state.numbers.push(number);
        self.send_closures();
    }

    fn send_closures(self: &Arc<Self>) {
        unattended::go_on(&Closures(self));
    }
}

/// The close requests of a link.
struct Closures<'s>(&'s Arc<LinkStreams>);

impl Errand for Closures<'_> {
    type State = ClosingState;
    type Request = Closure;
    type Outcome = Result<(), ChannelError>;

    fn with<T>(&self, look: impl FnOnce(&mut Unattended<ClosingState, Closure>) -> T) -> T {
        look(&mut self.0.closing.lock())
    }

    fn next(&self, state: &mut ClosingState) -> Option<Closure> {
        if state.numbers.is_empty() {
            return None;
        }
        let rest = state.numbers.split_off(state.numbers.len().min(state.most));
        let numbers = mem::replace(&mut state.numbers, rest);
        Some(Closure { numbers, request: Request::continuing(&self.0.lanes, Limit::Never) })
    }

    fn poll(&self, closure: &mut Closure) -> Poll<Self::Outcome> {
        let waker = unattended::waker(self.0, LinkStreams::send_closures);
        let mut control = Control::new(RequestTag::of(Operation::Close), self.0.codec);
        control
            .add(|body| {
                body.number("count", closure.numbers.len() as u64)?;
                closure.numbers.iter().try_for_each(|number| body.number("stream", *number))
            })
            .expect("numbers always encode");
        let mut cx = Context::from_waker(&waker);
        closure.request.poll_send(&mut cx, &control)
    }

    fn settle(&self, closure: Closure, sent: Self::Outcome) {
        let Closure { numbers, request } = closure;
        // Abandons the request. The server has it, and its answer frees the lane.
        drop(request);
        if let Err(error) = sent {
            self.0.closing.lock().state.keep(numbers, &error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::{OnceLock, Weak, mpsc};
    use std::thread;
    use std::time::Duration;

    use witrpc_transport::{Answer, ClientChannel, Outgoing, Sending, Ticket};

    use crate::codec::Codec;

    use super::*;

    /// A channel that takes every request at once. Abandoning the first request closes another stream.
    #[derive(Debug, Default)]
    struct Comeback {
        streams: OnceLock<Weak<LinkStreams>>,
        sent: AtomicU64,
        abandoned: AtomicU64,
    }

    impl ClientChannel for Comeback {
        fn welcome(&self) -> &[u8] {
            &[]
        }

        fn try_send(&self, _: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
            Ok(Some(Ticket::new(0, self.sent.fetch_add(1, Relaxed) + 1)))
        }

        fn poll_send(
            &self,
            _: &mut Context<'_>,
            _: &mut Sending,
            _: Outgoing<'_>,
            _: &mut Limit,
        ) -> Poll<Result<Ticket, ChannelError>> {
            unreachable!("there is always a lane")
        }

        fn wait_answer(
            &self,
            _: Ticket,
            _: &mut Limit,
            _: &mut Answer,
        ) -> Result<(), ChannelError> {
            unreachable!("no thread waits")
        }

        fn poll_answer(
            &self,
            _: &mut Context<'_>,
            _: &mut Ticket,
            _: &mut Limit,
            _: &mut Answer,
        ) -> Poll<Result<(), ChannelError>> {
            unreachable!("no thread waits")
        }

        fn abandon(&self, _: Ticket) {
            if self.abandoned.fetch_add(1, Relaxed) == 0 {
                let streams = self.streams.get().and_then(Weak::upgrade);
                streams.expect("they are there").close(2);
            }
        }

        fn lanes(&self) -> u32 {
            2
        }

        fn lost(&self) -> Option<ChannelError> {
            None
        }

        fn disconnect(&self) {}
    }

    #[test]
    fn a_task_that_a_close_wakes_may_close_another_stream() {
        let comeback = Arc::<Comeback>::default();
        let channel = Arc::clone(&comeback) as Arc<dyn ClientChannel>;
        let streams = LinkStreams::new(&channel, Codec::default());
        comeback.streams.set(Arc::downgrade(&streams)).expect("they are set once");
        let (done, returned) = mpsc::channel();
        thread::spawn(move || {
            streams.close(1);
            done.send(()).expect("the test waits");
        });
        returned.recv_timeout(Duration::from_secs(60)).expect("a close that comes back");
        assert_eq!(comeback.sent.load(Relaxed), 2);
        assert_eq!(comeback.abandoned.load(Relaxed), 2);
    }
}
