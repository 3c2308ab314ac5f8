//! What client and server give their transport at the start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use witrpc_transport::{Admission, TrustedPeer, WaitPolicy};

use crate::rt::cancel_token::CancelToken;
use crate::security::{Credentials, Guard};

/// What a client gives its transport at the start.
#[non_exhaustive]
pub struct ConnectConfig {
    /// Handed to the server's [`Admission::admit`](witrpc_transport::Admission::admit); at most
    /// [`MAX_HELLO_LEN`](witrpc_transport::MAX_HELLO_LEN) bytes.
    pub hello: Vec<u8>,
    /// How long to wait for a server that does not serve yet; zero fails at once.
    pub wait_for_server: Duration,
    /// Until when to have connected, waiting for a server included. `None` leaves it to the limits of
    /// the transport. One that has not connected by then returns
    /// [`ConnectError::HandshakeTimedOut`](crate::ConnectError::HandshakeTimedOut), or
    /// [`NobodyServes`](crate::ConnectError::NobodyServes) where it has found no server.
    pub until: Option<Instant>,
    /// Once this is cancelled, the caller has given up: a transport that still waits returns an error.
    pub cancel: Option<CancelToken>,
    /// How callers wait for answers.
    pub wait: WaitPolicy,
    /// What the client brings, and asks of the server.
    pub credentials: Credentials,
    /// Whether what the server sends may be read in place.
    pub trusted: Option<TrustedPeer>,
}

impl ConnectConfig {
    /// A client that says this hello, has no token, asks for no encryption, and waits for no server: to try a
    /// transport without the layers above. What is to differ is set in the fields.
    #[must_use]
    pub fn new(hello: Vec<u8>) -> Self {
        Self {
            hello,
            wait_for_server: Duration::ZERO,
            until: None,
            cancel: None,
            wait: WaitPolicy::default(),
            credentials: Credentials::default(),
            trusted: None,
        }
    }
}

/// What a server gives its transport at the start.
#[non_exhaustive]
pub struct BindConfig {
    /// Decides which clients come in.
    pub admission: Arc<dyn Admission>,
    /// How idle threads of the server wait.
    pub wait: WaitPolicy,
    /// Decides which clients are heard at all: to be asked before the admission.
    pub guard: Arc<Guard>,
    /// Whether what clients send may be read in place.
    pub trusted: Option<TrustedPeer>,
}

impl BindConfig {
    /// A server that asks clients for no token and no encryption: to try a transport without the layers above.
    /// What is to differ is set in the fields.
    #[must_use]
    pub fn new(admission: Arc<dyn Admission>) -> Self {
        Self { admission, wait: WaitPolicy::default(), guard: Arc::default(), trusted: None }
    }
}
