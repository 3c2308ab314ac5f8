//! The seam between calls and the bytes that carry them.
//!
//! A transport moves opaque messages: a *tag* of [`TAG_BITS`] bits whose meaning belongs to the
//! layers above, and a body. It knows nothing of methods, codecs or handlers, and the layers above
//! know nothing of memory, sockets or futexes. Two transports stand on this seam: [`Mmf`](crate::Mmf),
//! named shared memory, and [`InProcess`](crate::InProcess). A transport of one's own that moves messages
//! writes little itself: the kit is [`crate::queue`].
//!
//! Two rules keep the benefit of shared memory:
//!
//! - a body is written by the caller *into space that the transport reserved* ([`Fill`]);
//! - a body that arrives is copied *once*, straight to where it is wanted ([`RemoteBytes`]).
//!
//! What is not to be copied at all is handed over by a message that names it ([`Lessor`]), which a
//! transport may leave out: it is copied into the message then.

mod config;
mod endpoint;

use std::fmt;
use std::sync::Arc;

use crate::error::{BindError, ConnectError};

pub use crate::security::{Credentials, Guard};
pub use config::{BindConfig, ConnectConfig};
pub use endpoint::Endpoint;
pub use witrpc_transport::{
    Admission, Admitted, Answer, Body, ChannelError, Clearance, ClientChannel, ClientInfo,
    DisconnectReason, Fill, KeptLane, Leasing, Lent, Lessor, Limit, MAX_HELLO_LEN, MIN_MESSAGE_LEN,
    Only, Outgoing, Payload, Peer, RemoteBytes, Request, SMALL_LEN, Scanner, Sending, Serve,
    ServerPort, Session, SharedBytes, Shutdown, TAG_BITS, Ticket, TrustedPeer, Usage, WaitPolicy,
    WritableBytes, pad, private_bytes,
};

/// A way for clients to reach servers: what an [`Endpoint`] stands for.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Claims the name and starts to accept clients.
    ///
    /// # Errors
    ///
    /// [`BindError`] says which rule the name, a limit or the machine broke.
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError>;

    /// Reaches the server, and returns once it has admitted this client.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError>;
}
