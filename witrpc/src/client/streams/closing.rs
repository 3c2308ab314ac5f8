//! Tells the server which streams are not wanted any more.
//!
//! Whoever drops a stream is not to wait, and all lanes may be taken. So the number is kept, and a
//! request that names all that are kept goes as soon as there is a lane: what the channel wakes then
//! sends it. No thread and no later call is needed for that.
//!
//! # Invariants
//!
//! 1. A number that was handed in is in `numbers` or in `under_way`, is with whoever polls that, was
//!    sent, or the link is lost.
//! 2. One thread at a time polls what is under way. Whoever comes meanwhile, as a waker does that is
//!    woken during the poll, leaves `again`, and the first polls once more.
//! 3. A flight is polled and dropped without the lock: either may wake others, whose code may drop a
//!    stream and so come back here.
//! 4. The waker holds the streams weakly: what a channel keeps to wake does not keep the channel.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Wake, Waker};

use witrpc_rt::lock;

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
        lock(&self.0)
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
        Some(Closure { numbers, flight: Flight::continuing(Arc::clone(channel)) })
    }

    /// Keeps what could not be sent.
    fn keep(&mut self, numbers: Vec<u64>, error: &ChannelError) {
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
        if self.is_forked() {
            return;
        }
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
            match closure.poll(self) {
                Poll::Pending => {
                    state = self.closing.lock();
                    state.under_way = Some(closure);
                    if !state.again {
                        break;
                    }
                }
                Poll::Ready(sent) => {
                    let Closure { numbers, flight } = closure;
                    // Abandons the request: the server knows now, or will, and its answer frees the
                    // lane.
                    drop(flight);
                    state = self.closing.lock();
                    if let Err(error) = sent {
                        state.keep(numbers, &error);
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

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::codec::Codec;
    use crate::transport::{Answer, Outgoing, Sending, Ticket};

    /// Takes every request at once. Whoever abandons the first has another stream closed.
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
            Ok(Some(Ticket { lane: 0, seq: self.sent.fetch_add(1, Relaxed) + 1 }))
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
            unreachable!("nobody waits")
        }

        fn poll_answer(
            &self,
            _: &mut Context<'_>,
            _: &mut Ticket,
            _: &mut Limit,
            _: &mut Answer,
        ) -> Poll<Result<(), ChannelError>> {
            unreachable!("nobody waits")
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
    fn whoever_is_woken_by_a_close_may_close_another() {
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
