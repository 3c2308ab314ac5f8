//! Streams, seen from the client: what methods return is pulled batch by batch, what they take is
//! pushed so.
//!
//! A pull or a push is a request like a call, answered late; [`request`] is one of them. What waits
//! for items holds a lane, so [`share`] lets these have half of a connection's lanes at most. A
//! [`source`] pulls; [`blocking`] and [`asynchronous`] are what users see of it. A [`feeder`] pushes.

mod asynchronous;
mod blocking;
mod feeder;
mod request;
mod share;
mod source;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::Codec;
use crate::tag::Operation;
use crate::transport::{ChannelError, ClientChannel};

pub use asynchronous::AsyncStream;
pub use blocking::BlockingStream;
pub(super) use feeder::{Feeder, Feeding, Target};
pub(super) use request::{Control, Request};
pub(super) use share::Share;
pub(super) use source::{ReadItems, Source, read_results, read_values};

/// What the streams over one channel share.
pub(in crate::client) struct LinkStreams {
    pub(super) channel: Arc<dyn ClientChannel>,
    pub(super) codec: Codec,
    pub(super) share: Arc<Share>,
    /// Streams that were to be closed when no lane was free.
    unclosed: Mutex<Vec<u64>>,
}

impl LinkStreams {
    pub(in crate::client) fn new(channel: &Arc<dyn ClientChannel>, codec: Codec) -> Arc<Self> {
        Arc::new(Self {
            channel: Arc::clone(channel),
            codec,
            share: Share::new(channel.lanes() / 2),
            unclosed: Mutex::default(),
        })
    }

    /// Numbers a stream that is about to be opened. No other of this process has the number, so it
    /// does not matter over which link it comes to be opened.
    pub(in crate::client) fn next_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells the server that a stream is not wanted any more, without ever waiting.
    pub(super) fn close(&self, number: u64) {
        self.unclosed.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        self.close_rest();
    }

    /// Tells it of those for which no lane was free.
    pub(super) fn close_rest(&self) {
        let mut unclosed = self.unclosed.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(number) = unclosed.pop() {
            match self.tell_closed(number) {
                Ok(true) => {}
                Ok(false) => return unclosed.push(number),
                Err(_) => return unclosed.clear(),
            }
        }
    }

    /// `false`: not now.
    fn tell_closed(&self, number: u64) -> Result<bool, ChannelError> {
        let control = Control::of_stream(Operation::Close, number, self.codec);
        let sent = control.with_message(|message| self.channel.try_send(message))?;
        let Some(ticket) = sent else { return Ok(false) };
        // The server knows now; its answer frees the lane.
        self.channel.abandon(ticket);
        Ok(true)
    }
}

impl fmt::Debug for LinkStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkStreams").field("codec", &self.codec).finish_non_exhaustive()
    }
}
