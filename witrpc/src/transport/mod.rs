//! The interface between calls and the transports that carry them.
//!
//! A transport moves opaque messages: a *tag* of [`TAG_BITS`] bits whose meaning belongs to the layers above,
//! and a body. It is independent of methods, codecs and handlers, and the layers above are independent of
//! memory, sockets and futexes. Two transports implement this interface: [`Mmf`](crate::Mmf), named shared
//! memory, and [`InProcess`](crate::InProcess). A new transport that moves messages needs little code: the kit
//! is [`crate::queue`].
//!
//! Two rules keep the benefit of shared memory:
//!
//! - a body is written by the caller *into space that the transport reserved* ([`Fill`]);
//! - a body that arrives is copied *once*, straight to its destination ([`RemoteBytes`]).
//!
//! A message can also name bytes and hand them over without a copy ([`Lessor`]). A transport may leave that
//! out: the bytes are copied into the message then.
//!
//! The traits document what each side promises: what may block, on which thread a method is called, what bounds
//! the memory. Structs and enums may grow: a transport makes structs by `new` and `with_` methods.
//!
//! # Encryption
//!
//! A client brings [`Credentials`], which are an [`Initiator`], and a server a [`Guard`], which is a
//! [`Responder`]. A transport to another process compares their [`Demands`] ([`Credentials::check`]), carries
//! one message each way, and has [`Keys`] on both sides. From there on it seals the hello, and all else if the
//! demands require it. The client is authenticated once something that it sealed opens. Its [`Clearance`] goes
//! with it to the [`Admission`].
//!
//! ```
//! use witrpc::transport::{Credentials, FIRST_MESSAGE_NUMBER, Guard, Initiator, Responder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (credentials, guard) = (Credentials::default(), Guard::default());
//! // `config.credentials` of the client, and `config.guard` of the server.
//! assert_eq!(Initiator::demands(&credentials), Responder::demands(&guard));
//! let prologue = b"version 1, and the demands of both";
//! let begun = credentials.begin(prologue)?;
//! let response = guard.respond(prologue, &begun.message)?.ok_or("the client has not the secret")?;
//! let keys = (begun.finish)(&response.message).ok_or("the server has not the secret")?;
//!
//! // Sealed, if the demands require anything. Without any, as here, it stays as it is.
//! let mut piece = *b"hello";
//! let tag = keys.seal(FIRST_MESSAGE_NUMBER, &mut piece);
//! assert!(response.keys.open(FIRST_MESSAGE_NUMBER, &mut piece, tag));
//! assert_eq!(&piece, b"hello");
//! # Ok(())
//! # }
//! ```

mod config;
mod endpoint;

use std::fmt;
use std::sync::Arc;

use crate::error::{BindError, ConnectError};

pub use crate::security::{Credentials, Guard};
pub use config::{BindConfig, ConnectConfig};
pub use endpoint::Endpoint;
pub use witrpc_transport::{
    Admission, Admitted, Answer, Begun, Body, COUNTER_BITS, ChannelError, Clearance, ClientChannel,
    ClientInfo, ClientOrigin, Demands, DisconnectReason, Exchange, FIRST_MESSAGE_NUMBER, Fill,
    Finish, Initiator, KeptLane, Keys, Leasing, Lent, Lessor, Limit, MAX_EXCHANGE_LEN,
    MAX_HELLO_LEN, MAX_PIECE_LEN, MIN_MESSAGE_LEN, NameChange, NoRandomBytes, Only, Outgoing,
    Payload, Peer, RemoteBytes, Request, ResourceError, Responder, Response, SHORT_WORDS,
    SMALL_LEN, Scanner, Sending, Serve, ServerPort, Session, SharedBytes, Short, ShortAnswer,
    ShortRequest, Shutdown, TAG_BITS, TAG_LEN, Ticket, TrustedPeer, Usage, WaitPolicy,
    WritableBytes, pad, private_bytes, serve_by,
};

/// A way for clients to reach servers, as an [`Endpoint`] holds it. Any thread may call its methods, several at
/// once.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Claims the name and starts to accept clients. Called on the thread that starts the server. It waits for
    /// no client.
    ///
    /// Clients may be let in before the server has started its threads. What they send waits until then.
    ///
    /// # Errors
    ///
    /// [`BindError`] names the rule of the name, the limit or the resource that prevents it.
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError>;

    /// Connects to the server, and returns once it has admitted this client. It blocks: the layers above call
    /// it on the thread of a blocking client, or otherwise on a separate thread. It waits for a server as long
    /// as [`wait_for_server`](ConnectConfig::wait_for_server) allows. Whatever the server does, it returns by
    /// [`until`](ConnectConfig::until), or soon after [`cancel`](ConnectConfig::cancel).
    ///
    /// # Errors
    ///
    /// [`ConnectError`] names the cause: no server has the name, the server refused, or the machine did.
    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError>;

    /// Returns the names that are served at this moment where this endpoint looks, sorted. It is no client of
    /// any of them.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unsupported`] if the transport cannot find servers, as by default. Otherwise what is wrong
    /// with the place.
    fn servers(&self) -> Result<Vec<String>, ConnectError> {
        Err(unsupported("it cannot list servers"))
    }

    /// Returns the encoded metrics of the server of this endpoint, as its
    /// [`Admission::report`] or
    /// [`ServerQueue::report`](crate::queue::ServerQueue::report) makes them. The asking process is not a client:
    /// it takes no place and needs no token, and must run as the server's user. It blocks for as long as a
    /// handshake may take.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unsupported`] if the transport cannot ask, as by default. Otherwise those of
    /// [`connect`](Self::connect).
    fn report(&self) -> Result<Vec<u8>, ConnectError> {
        Err(unsupported("it cannot ask a server for its metrics"))
    }

    /// Checks that the server of this endpoint is there and answers, without being its client. By default, it asks
    /// for the [report](Self::report).
    ///
    /// # Errors
    ///
    /// Those of [`report`](Self::report).
    fn check_health(&self) -> Result<(), ConnectError> {
        self.report().map(drop)
    }
}

fn unsupported(problem: &str) -> ConnectError {
    ConnectError::Unsupported { problem: problem.to_owned() }
}
