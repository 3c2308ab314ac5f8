//! A link: what one meeting with a server has come to, for one service.

use std::fmt;
use std::sync::Arc;

use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::codec::Codec;
use crate::stream::client::link_streams::LinkStreams;

use super::negotiation::Agreed;

/// What belongs to one meeting with a server.
pub struct Link {
    pub channel: Arc<dyn ClientChannel>,
    /// The tag of each method's requests, by the method's number here; `None` where the server
    /// has no such method.
    pub tags: Box<[Option<u32>]>,
    /// How the server numbers this client.
    pub client_id: u64,
    /// Of all that go over this channel.
    pub streams: Arc<LinkStreams>,
    /// The server's number of the service.
    pub service: u8,
    /// The server's number of each event, by the event's number here; `None` where the server has no
    /// such event.
    pub events: Box<[Option<u16>]>,
}

impl Link {
    /// The first link over a channel.
    pub fn new(
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
    pub fn beside(&self, agreed: Agreed) -> Self {
        let Agreed { service, tags, events } = agreed;
        let (channel, streams) = (Arc::clone(&self.channel), Arc::clone(&self.streams));
        Self { channel, client_id: self.client_id, tags, streams, service, events }
    }

    /// Why no call can succeed over this link any more.
    pub fn lost(&self) -> Option<DisconnectReason> {
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
pub fn lost_for(error: &ChannelError) -> Option<DisconnectReason> {
    match error {
        ChannelError::PeerDied => Some(DisconnectReason::PeerDied),
        ChannelError::ShuttingDown => Some(DisconnectReason::ServerShutDown),
        ChannelError::Disconnected(reason) => Some(*reason),
        ChannelError::Misbehaved(_) => Some(DisconnectReason::Misbehaved),
        _ => None,
    }
}
