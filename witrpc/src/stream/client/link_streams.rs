//! The shared state of one link's streams.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::codec::Codec;

use super::closing::Closing;
use super::control::of_what_goes_on;
use super::notices::UploadNotices;
use super::request::StreamLanes;
use super::wait_permits::WaitPermits;

/// The state that the streams over one channel share.
pub struct LinkStreams {
    pub lanes: StreamLanes,
    pub codec: Codec,
    pub closing: Closing,
    pub notices: UploadNotices,
}

impl LinkStreams {
    pub fn new(channel: &Arc<dyn ClientChannel>, codec: Codec) -> Arc<Self> {
        let streams = Arc::new(Self {
            lanes: StreamLanes {
                channel: Arc::clone(channel),
                permits: WaitPermits::new(channel.lanes()),
            },
            codec,
            closing: Closing::new(),
            notices: UploadNotices::new(),
        });
        let lost = Arc::new(WhenLost(Arc::downgrade(&streams)));
        channel.when_lost(Waker::from(lost));
        streams
    }

    /// Returns whether this process is a fork of the one that connected. The fork has none of that
    /// process's threads, which may have held any of these locks at the fork. So values dropped in
    /// a fork are forgotten.
    pub fn is_forked(&self) -> bool {
        self.lanes.channel.lost() == Some(ChannelError::Disconnected(DisconnectReason::Forked))
    }

    /// Returns a number for a stream that is about to be opened. No other stream of this process has
    /// it, so the stream may be opened over any link.
    pub fn next_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// A waker that ends the waits for permits when the channel is lost: the holders may never return them.
struct WhenLost(Weak<LinkStreams>);

impl Wake for WhenLost {
    fn wake(self: Arc<Self>) {
        if let Some(streams) = self.0.upgrade() {
            let lost = streams.lanes.channel.lost().unwrap_or(ChannelError::PeerDied);
            streams.lanes.permits.lose(of_what_goes_on(lost));
        }
    }
}

impl fmt::Debug for LinkStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkStreams").field("codec", &self.codec).finish_non_exhaustive()
    }
}
