//! A link: the result of one handshake with a server, for one service.

use std::fmt;
use std::sync::Arc;

use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::codec::Codec;
use crate::contract::Differences;
use crate::error::{CallError, ContractDifference};
use crate::stream::client::link_streams::LinkStreams;

use super::negotiation::Agreed;

/// The result of one handshake with a server, for one service.
pub struct Link {
    pub channel: Arc<dyn ClientChannel>,
    /// The tag of each method's requests, by this client's number of the method; `None` if the server
    /// does not have the method as this client has it.
    pub tags: Box<[Option<u32>]>,
    /// The server's number for this client.
    pub client_id: u64,
    /// The streams of all clients that use this channel.
    pub streams: Arc<LinkStreams>,
    /// The server's number of the service.
    pub service: u8,
    /// The server's number of each event, by this client's number of the event; `None` if the server
    /// does not have the event as this client has it.
    pub events: Box<[Option<u16>]>,
    /// What differs in the methods and events of which the server has another version.
    pub differences: Differences,
}

impl Link {
    /// Creates the first link over a channel.
    pub fn new(
        channel: Arc<dyn ClientChannel>,
        codec: Codec,
        client_id: u64,
        agreed: Agreed,
    ) -> Self {
        let streams = LinkStreams::new(&channel, codec);
        let Agreed { service, tags, events, differences } = agreed;
        Self { channel, client_id, tags, streams, service, events, differences }
    }

    /// Creates a link for another service over the same channel.
    pub fn beside(&self, agreed: Agreed) -> Self {
        let Agreed { service, tags, events, differences } = agreed;
        let (channel, streams) = (Arc::clone(&self.channel), Arc::clone(&self.streams));
        let client_id = self.client_id;
        Self { channel, client_id, tags, streams, service, events, differences }
    }

    /// Returns why a method that has no tag here cannot be called. `name` is its name on the wire.
    #[cold]
    pub fn without_method(&self, method: u16, name: &'static str) -> CallError {
        absent(self.differences.of_method(method), name)
    }

    /// Returns why an event that has no number here cannot be subscribed to.
    #[cold]
    pub fn without_event(&self, event: u16, name: &'static str) -> CallError {
        absent(self.differences.of_event(event), name)
    }

    /// Returns why no call can succeed over this link any more.
    pub fn lost(&self) -> Option<DisconnectReason> {
        let lost = self.channel.lost()?;
        // A transport reports no other reasons for the end of a whole connection.
        Some(lost_for(&lost).unwrap_or(DisconnectReason::PeerDied))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f)
    }
}

/// Returns the error of what the server has in another version, or does not have.
fn absent(differences: &[ContractDifference], method: &'static str) -> CallError {
    if differences.is_empty() {
        return CallError::UnknownMethod { method };
    }
    CallError::ContractMismatch { difference: ContractDifference::list(differences) }
}

/// Returns why the whole link is lost, if the transport's error means that.
pub fn lost_for(error: &ChannelError) -> Option<DisconnectReason> {
    match error {
        ChannelError::PeerDied => Some(DisconnectReason::PeerDied),
        ChannelError::ShuttingDown => Some(DisconnectReason::ServerShutDown),
        ChannelError::Disconnected(reason) => Some(*reason),
        ChannelError::Misbehaved(_) => Some(DisconnectReason::Misbehaved),
        _ => None,
    }
}
