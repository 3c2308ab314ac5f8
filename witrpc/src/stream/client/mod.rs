//! The client's side of streams: it pulls what methods return, batch by batch, and pushes what they take.
//!
//! A pull or a push is a request like a call, answered late; [`request`] is one of them. What waits for items holds
//! a lane. So [`wait_permits`] let these have half of a connection's lanes at most, and leave others for notices,
//! events and calls.
//!
//! - Down: a [`stream_receiver`] pulls; [`blocking`] and [`asynchronous`] are what users see of it.
//! - Up: [`push`] pushes. Items come from an [`upload_thread`], which blocks and fills an [`upload_buffer`], or from
//!   an [`upload_future`], which is polled. A [`pickup`] gets the answer; a [`clock`] bounds the wait for it.
//! - An upload that waits while lanes are scarce learns by [`notices`], which come over one lane for all.
//! - What is dropped before its end is told to the server by [`closing`]. Requests of both kinds are
//!   [`unattended`].

pub(crate) mod asynchronous;
pub(crate) mod blocking;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod closing;
pub(crate) mod notices;
pub(crate) mod pickup;
pub(crate) mod push;
pub(crate) mod request;
pub(crate) mod stream_receiver;
pub(crate) mod unattended;
pub(crate) mod upload_buffer;
pub(crate) mod upload_future;
pub(crate) mod upload_thread;
pub(crate) mod wait_permits;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use closing::Closing;
use notices::UploadNotices;
use request::of_what_goes_on;
use wait_permits::WaitPermits;
use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::codec::Codec;

/// What the streams over one channel share.
pub(crate) struct LinkStreams {
    pub(crate) channel: Arc<dyn ClientChannel>,
    pub(crate) codec: Codec,
    share: Arc<WaitPermits>,
    closing: Closing,
    notices: UploadNotices,
}

impl LinkStreams {
    pub(crate) fn new(channel: &Arc<dyn ClientChannel>, codec: Codec) -> Arc<Self> {
        let streams = Arc::new(Self {
            channel: Arc::clone(channel),
            codec,
            share: WaitPermits::new(channel.lanes()),
            closing: Closing::new(),
            notices: UploadNotices::new(),
        });
        let lost = Arc::new(WhenLost(Arc::downgrade(&streams)));
        channel.when_lost(Waker::from(lost));
        streams
    }

    /// Whether this process is a fork of the one that connected. It has none of that one's threads,
    /// which may have held any lock here when it was forked: what is dropped there is forgotten.
    pub(crate) fn is_forked(&self) -> bool {
        self.channel.lost() == Some(ChannelError::Disconnected(DisconnectReason::Forked))
    }

    /// Numbers a stream that is about to be opened. No other of this process has the number, so it
    /// does not matter over which link it comes to be opened.
    pub(crate) fn next_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// Ends the waits for permits when the channel is lost: whoever holds them may never return them.
struct WhenLost(Weak<LinkStreams>);

impl Wake for WhenLost {
    fn wake(self: Arc<Self>) {
        if let Some(streams) = self.0.upgrade() {
            let lost = streams.channel.lost().unwrap_or(ChannelError::PeerDied);
            streams.share.lose(of_what_goes_on(lost));
        }
    }
}

impl fmt::Debug for LinkStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkStreams").field("codec", &self.codec).finish_non_exhaustive()
    }
}
