//! The admission of clients, and what the server keeps for each.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The decision which clients come in. The server above the transport implements it. The transport's threads
/// call it without a lock, several at once if there are several.
pub trait Admission: Send + Sync {
    /// Reads a client's hello, which has at most [`MAX_HELLO_LEN`](crate::MAX_HELLO_LEN) bytes and is not
    /// trusted. Called once a client, after the server's guard has [cleared](ClientInfo::cleared) it. It waits
    /// for no client, but runs `joined` of the users' hooks and takes as long as that does.
    fn admit(&self, hello: &[u8], client: &ClientInfo) -> Admitted;

    /// Handles the end of a client that was let in, whichever side ended its connection. A transport calls this
    /// once for each [`Admitted::Welcome`]. It wakes handlers, and has another thread run the hooks of users.
    fn left(&self, client: &ClientInfo, session: &Session) {
        let _ = (client, session);
    }

    /// Handles a failed thread of the transport, after which no client can come in, though the server has not
    /// closed it. The server ends, and reports that to its user. A transport calls this once.
    fn failed(&self) {}

    /// Handles the removal of the server's name by another program, such as a log-out that removes what its user
    /// left. A transport calls this once the name is published anew, or when it cannot be. It never waits.
    fn name_changed(&self, change: NameChange) {
        let _ = change;
    }

    /// Returns the encoded metrics of the server. A transport hands them unchanged to other processes of the
    /// server's user, and to no other user. They have at most 240 bytes, and none before the server has
    /// started. It never waits.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// What has become of a server's name after another program removed its files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameChange {
    /// The server has published it anew. Clients that looked for it in between found no server.
    Republished,
    /// It cannot be published: another server has taken it, or its directory cannot be made. No new client
    /// finds this server, and those that are connected are served on. The server tries again every second.
    Lost {
        /// What is in the way, in words.
        problem: String,
    },
}

/// The decision of [`Admission::admit`]. A transport takes it apart by [`into_result`](Self::into_result).
#[non_exhaustive]
pub enum Admitted {
    /// The client is in.
    Welcome {
        /// The bytes for the client, which reads them with
        /// [`ClientChannel::welcome`](crate::ClientChannel::welcome).
        welcome: Vec<u8>,
        /// The transport keeps this with the connection: [`Peer::session`](crate::Peer::session).
        session: Session,
    },
    /// The client is turned away. The bytes reach it as the reason of its refusal.
    Refusal(Vec<u8>),
}

impl Admitted {
    /// Returns the welcome and the session of a client that is in.
    ///
    /// # Errors
    ///
    /// If the client is turned away: these bytes are the reason.
    pub fn into_result(self) -> Result<(Vec<u8>, Session), Vec<u8>> {
        match self {
            Self::Welcome { welcome, session } => Ok((welcome, session)),
            Self::Refusal(reason) => Err(reason),
        }
    }
}

/// Where a client is, as the transport knows it and not as the client says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientOrigin {
    /// On this machine, as the kernel reports it.
    Local {
        /// The process that connected, as the server's pid namespace numbers it; 0 if it does not show it.
        pid: u32,
        /// The user it ran as.
        uid: u32,
    },
    /// On another machine, or behind a broker.
    Remote {
        /// The address, in the words of the transport.
        address: Arc<str>,
    },
}

/// A client's identity, as the transport reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The client's number among those of all servers of this process, from 1. Never used twice.
    pub id: u64,
    /// The process that connected, as the server's pid namespace numbers it. 0 for a
    /// [remote](ClientOrigin::Remote) client.
    pub pid: u32,
    /// The user it runs as. [`NO_UID`](Self::NO_UID) for a [remote](ClientOrigin::Remote) client.
    pub uid: u32,
    /// The address of a remote client.
    address: Option<Arc<str>>,
    clearance: Option<Clearance>,
}

impl ClientInfo {
    /// The id of no user: no process runs as it.
    pub const NO_UID: u32 = u32::MAX;

    /// Returns a client on this machine that has arrived, with the next number. For transports.
    pub fn new(pid: u32, uid: u32) -> Self {
        Self { id: next_client_id(), pid, uid, address: None, clearance: None }
    }

    /// Returns a client at this address that has arrived, with the next number. For transports to other machines
    /// and over brokers: such a client is no process and no user of this machine, whatever it says.
    pub fn remote(address: impl Into<Arc<str>>) -> Self {
        Self { address: Some(address.into()), ..Self::new(0, Self::NO_UID) }
    }

    /// Returns where it is.
    ///
    /// ```
    /// use witrpc_transport::{ClientInfo, ClientOrigin};
    ///
    /// let local = ClientInfo::new(77, 1000);
    /// assert_eq!(local.origin(), ClientOrigin::Local { pid: 77, uid: 1000 });
    /// let remote = ClientInfo::remote("192.0.2.1:9");
    /// assert_eq!(remote.origin(), ClientOrigin::Remote { address: "192.0.2.1:9".into() });
    /// assert_ne!(remote.uid, 0, "it is not taken for root");
    /// ```
    #[must_use]
    pub fn origin(&self) -> ClientOrigin {
        match &self.address {
            Some(address) => ClientOrigin::Remote { address: Arc::clone(address) },
            None => ClientOrigin::Local { pid: self.pid, uid: self.uid },
        }
    }

    /// Returns the same client with its clearance: it has met the server's demands.
    #[must_use]
    pub fn cleared(self, clearance: Clearance) -> Self {
        Self { clearance: Some(clearance), ..self }
    }

    /// Returns the clearance from the key exchange, if there was one.
    pub fn clearance(&self) -> Option<&Clearance> {
        self.clearance.as_ref()
    }

    /// Returns the name under which the server knows the client's access token, if it has one.
    pub fn identity(&self) -> Option<&str> {
        self.clearance.as_ref().and_then(Clearance::identity)
    }
}

/// Returns the number of the next client, from 1. All servers of the process share one counter. So a service
/// behind two of them, which keeps something for each client, tells all clients apart.
fn next_client_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Relaxed) + 1
}

/// A statement that a client has met the server's demands: if a token is required, the client has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clearance {
    identity: Option<Arc<str>>,
}

impl Clearance {
    /// Returns the clearance of a client known as `identity`: the server's name for the client's token.
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

/// The server's state for one client, from its admission to its end. A transport stores it with the connection
/// and hands it back ([`Peer::session`](crate::Peer::session)). Its content is private to the server. Clones
/// are the same session.
#[derive(Clone)]
pub struct Session {
    content: Arc<dyn Any + Send + Sync>,
    note: u32,
}

impl Session {
    /// Wraps the server's state.
    #[must_use]
    pub fn new(content: Arc<dyn Any + Send + Sync>) -> Self {
        Self { content, note: 0 }
    }

    /// Returns the same session with a number of the server's, which can be read without the content.
    #[must_use]
    pub fn with_note(self, note: u32) -> Self {
        Self { note, ..self }
    }

    /// Returns that number, or 0 without one.
    #[inline]
    #[must_use]
    pub const fn note(&self) -> u32 {
        self.note
    }

    /// Returns the server's state, if it is a `T`.
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
