//! The identity of the peer, and what both ends hold after the handshake.

use std::os::fd::AsFd;
use std::sync::atomic::AtomicU64;

use rustix::fs::fstat;
use rustix::io::Errno;
use witrpc_rt::PeerCredentials;
use witrpc_transport::{Keys, TrustedPeer};

use crate::link::half::{Half, Places};
use crate::link::lease::HeldLeases;
use crate::link::message_codec::MessageCodec;
use crate::memory::layout::Layout;
use crate::memory::region;
use crate::memory::region::{OwnPages, PeerPages};
use crate::sys::doorbell::Doorbell;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Origin;
use crate::wakeup::epoch::WakeRequest;

/// Returns the inode of a socket, which differs from that of every other socket on this machine at the
/// same time; 0 for none.
pub fn inode_of(socket: Option<&impl AsFd>) -> Result<u64, Errno> {
    socket.map_or(Ok(0), |socket| Ok(fstat(socket)?.st_ino))
}

/// What either side holds after the handshake, in addition to the link.
#[derive(Debug)]
pub struct Established {
    /// The identity of the peer.
    pub credentials: PeerCredentials,
    /// This side's region, zeroed and allocated. With the native backend it is also sealed, so that no
    /// other process can write it.
    pub own: OwnPages,
    /// The other side's region, to be read only.
    pub peer: PeerPages,
    /// One end of a nonblocking socket pair: a byte sent rings the other end. At the client the
    /// descriptor came from the peer, so only calls with `MSG_DONTWAIT` are safe on it. The portable
    /// backend has none.
    pub doorbell: Option<Socket>,
    /// How many calls can be in flight, 1 to [`crate::memory::layout::MAX_LANES`].
    pub lanes: u32,
    /// The longest message of either side, in bytes.
    pub max_message_len: u64,
    /// The keys that seal messages, if messages are sealed.
    pub keys: Option<Box<dyn Keys>>,
}

impl Established {
    /// Makes one end of the connection, with its own arena at `own_arena` in its region.
    pub fn into_half(
        self,
        layout: Layout,
        own_arena: usize,
        places: Places,
        trusted: Option<TrustedPeer>,
    ) -> Half {
        let (own, send_arena) = region::own(self.own, &layout, own_arena);
        let peer = region::peer(self.peer, &layout);
        Half {
            own: own.with_lanes(places.own_lanes, layout.lanes()),
            peer: peer.with_lanes(places.peer_lanes, layout.lanes()),
            places,
            send_arena,
            codec: MessageCodec::new(self.keys, layout.lanes()),
            max_message_len: self.max_message_len as usize,
            leases_held: HeldLeases::default(),
            trusted,
            doorbell: Doorbell::new(self.doorbell),
            space_wake_request: WakeRequest::new(AtomicU64::new(0)),
            origin: Origin::here(),
            layout,
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Established {
    /// Creates an end whose peer does not exist, without a bell.
    pub fn for_fuzzing(
        own: OwnPages,
        peer: PeerPages,
        lanes: u32,
        max_message_len: u64,
        keys: Option<Box<dyn Keys>>,
    ) -> Self {
        let credentials = PeerCredentials { pid: 0, uid: 0 };
        Self { credentials, own, peer, doorbell: None, lanes, max_message_len, keys }
    }
}
