//! A connection, shared by all clones of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::Codec;
use crate::contract::ServiceDescriptor;
use crate::transport::ClientChannel;

/// A client that the macro made.
pub trait Client: Sized {
    /// The service that it calls.
    const DESCRIPTOR: &'static ServiceDescriptor;
    /// Wraps a connection.
    fn from_connection(connection: Connection) -> Self;
}

/// A connection to one service of a server.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

/// What the clones of a connection share.
pub(crate) struct Inner {
    pub(crate) channel: Arc<dyn ClientChannel>,
    pub(crate) descriptor: &'static ServiceDescriptor,
    pub(crate) codec: Codec,
    pub(crate) call_timeout: Option<Duration>,
    /// The tag of each method's requests, by the method's number here; `None` where the server
    /// has no such method.
    pub(crate) tags: Box<[Option<u32>]>,
}

impl Connection {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Leaves the server. Pending and later calls end with
    /// [`CallError::Disconnected`](crate::CallError::Disconnected).
    pub fn disconnect(&self) {
        self.inner.channel.disconnect();
    }

    /// Whether calls can still succeed, as far as this side knows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.channel.lost().is_none()
    }

    /// The codec of the calls.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.inner.codec
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("service", &self.inner.descriptor.name)
            .field("codec", &self.inner.codec)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
