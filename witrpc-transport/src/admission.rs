//! Which clients come in, and what the server keeps for each.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Decides which clients come in; implemented by the server above the transport, whose threads call it with no
/// lock held, several at once if there are several.
pub trait Admission: Send + Sync {
    /// Reads a client's hello, at most [`MAX_HELLO_LEN`](crate::MAX_HELLO_LEN) bytes that are not trusted.
    /// Called once a client, after the server's guard has [cleared](ClientInfo::cleared) it. It waits for no
    /// client, but runs `joined` of the users' hooks and takes as long as that does.
    fn admit(&self, hello: &[u8], client: &ClientInfo) -> Admitted;

    /// A client that was let in has gone, whichever side ended its connection. A transport calls this once
    /// for each [`Admitted::Welcome`]. It wakes handlers, and has another thread
    /// run the hooks of users.
    fn left(&self, client: &ClientInfo, session: &Session) {
        let _ = (client, session);
    }

    /// The transport cannot let clients in any more, though the server has not closed it: a thread of the
    /// transport has failed. The server ends, and says so to its user. A transport calls this once.
    fn failed(&self) {}

    /// Returns what a server's metrics are read from by another process of the server's user: for a
    /// transport to hand over as it is, to that user alone. At most 240 bytes, none before the server
    /// has started. It never waits.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// What [`Admission::admit`] decided. A transport takes it apart by [`into_result`](Self::into_result).
#[non_exhaustive]
pub enum Admitted {
    /// The client is in.
    Welcome {
        /// Sent to the client, which reads it with
        /// [`ClientChannel::welcome`](crate::ClientChannel::welcome).
        welcome: Vec<u8>,
        /// Kept beside the connection: [`Peer::session`](crate::Peer::session).
        session: Session,
    },
    /// The client is turned away; the bytes reach it as the reason of
    /// its refusal.
    Refusal(Vec<u8>),
}

impl Admitted {
    /// Returns the welcome and the session of a client that is in.
    ///
    /// # Errors
    ///
    /// The client is turned away, for the reason in these bytes.
    pub fn into_result(self) -> Result<(Vec<u8>, Session), Vec<u8>> {
        match self {
            Self::Welcome { welcome, session } => Ok((welcome, session)),
            Self::Refusal(reason) => Err(reason),
        }
    }
}

/// Who a client is, in the kernel's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Counts the clients of all servers of this process from 1; never used twice.
    pub id: u64,
    /// The process that connected, as the server's pid namespace numbers it.
    pub pid: u32,
    /// The user it runs as.
    pub uid: u32,
    clearance: Option<Clearance>,
}

impl ClientInfo {
    /// A client that has come, with the next number; for those who write a transport.
    pub fn new(pid: u32, uid: u32) -> Self {
        Self { id: next_client_id(), pid, uid, clearance: None }
    }

    /// The same client, which has shown what the server asks for.
    #[must_use]
    pub fn cleared(self, clearance: Clearance) -> Self {
        Self { clearance: Some(clearance), ..self }
    }

    /// What the key exchange has found out about this client, if there was one.
    pub fn clearance(&self) -> Option<&Clearance> {
        self.clearance.as_ref()
    }

    /// The name under which the server knows the client's access token, if it has one.
    pub fn identity(&self) -> Option<&str> {
        self.clearance.as_ref().and_then(Clearance::identity)
    }
}

/// The number of the next client, from 1. All servers of the process draw from one counter: a service
/// that stands behind two of them, and keeps something for each client, tells all clients apart.
fn next_client_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Relaxed) + 1
}

/// States that a client has shown what the server asks for: that it knows a token, if one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clearance {
    identity: Option<Arc<str>>,
}

impl Clearance {
    /// A client that is known by `identity`: the name that the server gave the client's token.
    #[must_use]
    pub fn new(identity: Option<Arc<str>>) -> Self {
        Self { identity }
    }

    /// Returns the name under which the server knows the client's token, if it has one.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }
}

/// What the server above a transport keeps for a client, from its admission to its end. A transport
/// stores it beside the connection and hands it back ([`Peer::session`](crate::Peer::session)); only the
/// server knows what is in it. Clones are the same session.
#[derive(Clone)]
pub struct Session {
    content: Arc<dyn Any + Send + Sync>,
    note: u32,
}

impl Session {
    /// Wraps what the server keeps.
    #[must_use]
    pub fn new(content: Arc<dyn Any + Send + Sync>) -> Self {
        Self { content, note: 0 }
    }

    /// The same session with a number of the server's beside it, which is read without looking at the content.
    #[must_use]
    pub fn with_note(self, note: u32) -> Self {
        Self { note, ..self }
    }

    /// Returns that number; 0 if there is none.
    #[inline]
    #[must_use]
    pub const fn note(&self) -> u32 {
        self.note
    }

    /// Returns what the server keeps, if it is a `T`.
    #[inline]
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.content.downcast_ref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
