//! The link of a connection: one for its whole life, or a sequence of them.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;
use witrpc_transport::{ChannelError, DisconnectReason, Limit};

use crate::error::{CallError, ConnectError};

use super::link;
use super::link::Link;
use super::reconnect::{ConnectionState, Reconnector};

/// The slot for a connection's link.
#[derive(Debug)]
pub enum LinkSlot {
    /// A link that is never replaced.
    One(Link),
    /// A link that is replaced when it is lost.
    Kept(Arc<Reconnector>),
}

/// A reference to a link, taken once for each call. The link stays while it is held.
pub enum LinkRef<'c> {
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
    /// Returns the current link, which may already be lost.
    #[inline]
    pub fn current(&self) -> LinkRef<'_> {
        match self {
            LinkSlot::One(link) => LinkRef::One(link),
            LinkSlot::Kept(reconnector) => LinkRef::Kept(reconnector.link()),
        }
    }

    /// Returns the reconnector that replaces a lost link, if there is one.
    pub fn reconnector(&self) -> Option<&Arc<Reconnector>> {
        match self {
            LinkSlot::One(_) => None,
            LinkSlot::Kept(reconnector) => Some(reconnector),
        }
    }

    /// Returns the reconnector, if it replaces a link that was lost for this reason.
    pub fn reconnector_after(&self, reason: DisconnectReason) -> Option<&Reconnector> {
        match self {
            LinkSlot::Kept(reconnector) if reconnector.follows(reason) => Some(reconnector),
            _ => None,
        }
    }

    /// Waits for the link after `lost`, if the connection gets one after this error.
    ///
    /// # Errors
    ///
    /// The connection has ended, or the time is over.
    pub async fn after(
        &self,
        error: &ChannelError,
        lost: &Link,
        limit: &mut Limit,
    ) -> Option<Result<LinkRef<'_>, CallError>> {
        let mut next = self.reconnector_after(link::lost_for(error)?)?.next(lost);
        Some(poll_fn(|cx| next.poll(cx, limit)).await.map(LinkRef::Kept))
    }

    pub fn state(&self) -> ConnectionState {
        match self {
            LinkSlot::One(link) => {
                link.lost().map_or(ConnectionState::Connected, ConnectionState::Disconnected)
            }
            LinkSlot::Kept(reconnector) => reconnector.state(),
        }
    }

    pub fn reconnect_error(&self) -> Option<Arc<ConnectError>> {
        match self {
            LinkSlot::One(_) => None,
            LinkSlot::Kept(reconnector) => reconnector.error(),
        }
    }

    pub fn disconnect(&self) {
        match self {
            LinkSlot::One(link) => link.channel.disconnect(),
            LinkSlot::Kept(reconnector) => reconnector.disconnect(),
        }
    }
}

impl Drop for LinkSlot {
    /// Ends the reconnecting, because the thread that replaces the link also holds the reconnector.
    fn drop(&mut self) {
        if let LinkSlot::Kept(reconnector) = self {
            reconnector.disconnect();
        }
    }
}
