//! The link of a connection: one for all its life, or one after the other.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;
use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::codec::Codec;
use crate::error::ConnectError;
use crate::stream::client::link_streams::LinkStreams;

use super::negotiation::Agreed;
use super::reconnect::{ConnectionState, Reconnector};

/// What belongs to one meeting with a server.
pub(crate) struct Link {
    pub(crate) channel: Arc<dyn ClientChannel>,
    /// The tag of each method's requests, by the method's number here; `None` where the server
    /// has no such method.
    pub(crate) tags: Box<[Option<u32>]>,
    /// How the server numbers this client.
    pub(crate) client_id: u64,
    /// Of all that go over this channel.
    pub(crate) streams: Arc<LinkStreams>,
    /// The server's number of the service.
    pub(crate) service: u8,
    /// The server's number of each event, by the event's number here; `None` where the server has no
    /// such event.
    pub(crate) events: Box<[Option<u16>]>,
}

impl Link {
    /// The first link over a channel.
    pub(crate) fn new(
        channel: Arc<dyn ClientChannel>,
        codec: Codec,
        client_id: u64,
        agreed: Agreed,
    ) -> Self {
        let streams = LinkStreams::new(&channel, codec);
        let Agreed { service, tags, events } = agreed;
        Self { channel, client_id, tags, streams, service, events }
    }

    /// A link for another service over the same channel.
    pub(crate) fn beside(&self, agreed: Agreed) -> Self {
        let Agreed { service, tags, events } = agreed;
        let (channel, streams) = (Arc::clone(&self.channel), Arc::clone(&self.streams));
        Self { channel, client_id: self.client_id, tags, streams, service, events }
    }

    /// Why no call can succeed over this link any more.
    pub(crate) fn lost(&self) -> Option<DisconnectReason> {
        let lost = self.channel.lost()?;
        // A transport has no other reasons for the end of a whole connection.
        Some(lost_for(&lost).unwrap_or(DisconnectReason::PeerDied))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f)
    }
}

/// Why the whole link is lost, if that is what a transport reports.
pub(crate) fn lost_for(error: &ChannelError) -> Option<DisconnectReason> {
    match error {
        ChannelError::PeerDied => Some(DisconnectReason::PeerDied),
        ChannelError::ShuttingDown => Some(DisconnectReason::ServerShutDown),
        ChannelError::Disconnected(reason) => Some(*reason),
        ChannelError::Misbehaved(_) => Some(DisconnectReason::Misbehaved),
        _ => None,
    }
}

/// The link of a connection, as time goes by.
#[derive(Debug)]
pub(crate) enum LinkSlot {
    /// It stays.
    One(Link),
    /// It is replaced when it is lost.
    Kept(Arc<Reconnector>),
}

/// A link that stays while it is held, and is taken once a call.
pub(crate) enum LinkRef<'c> {
    One(&'c Link),
    Kept(Guard<Arc<Link>>),
}

impl Deref for LinkRef<'_> {
    type Target = Link;

    #[inline]
    fn deref(&self) -> &Link {
        match self {
            LinkRef::One(link) => link,
            LinkRef::Kept(link) => link,
        }
    }
}

impl LinkSlot {
    /// The link that stands now, perhaps lost by now.
    #[inline]
    pub(crate) fn current(&self) -> LinkRef<'_> {
        match self {
            LinkSlot::One(link) => LinkRef::One(link),
            LinkSlot::Kept(keeper) => LinkRef::Kept(keeper.link()),
        }
    }

    /// Whoever brings another link after a loss, if somebody does.
    pub(crate) fn keeper(&self) -> Option<&Arc<Reconnector>> {
        match self {
            LinkSlot::One(_) => None,
            LinkSlot::Kept(keeper) => Some(keeper),
        }
    }

    /// Whoever brings another link after a loss for this reason.
    pub(crate) fn keeper_after(&self, reason: DisconnectReason) -> Option<&Reconnector> {
        match self {
            LinkSlot::Kept(keeper) if keeper.follows(reason) => Some(keeper),
            _ => None,
        }
    }

    pub(crate) fn state(&self) -> ConnectionState {
        match self {
            LinkSlot::One(link) => {
                link.lost().map_or(ConnectionState::Connected, ConnectionState::Disconnected)
            }
            LinkSlot::Kept(keeper) => keeper.told(),
        }
    }

    pub(crate) fn reconnect_error(&self) -> Option<Arc<ConnectError>> {
        match self {
            LinkSlot::One(_) => None,
            LinkSlot::Kept(keeper) => keeper.error(),
        }
    }

    pub(crate) fn disconnect(&self) {
        match self {
            LinkSlot::One(link) => link.channel.disconnect(),
            LinkSlot::Kept(keeper) => keeper.disconnect(),
        }
    }
}

impl Drop for LinkSlot {
    /// The thread that keeps a link has a hold of it too.
    fn drop(&mut self) {
        if let LinkSlot::Kept(keeper) = self {
            keeper.disconnect();
        }
    }
}
