//! The configurations that client and server give their transport at the start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use witrpc_transport::{Admission, TrustedPeer, WaitPolicy};

use crate::rt::cancel_token::CancelToken;
use crate::security::{Credentials, Guard};

/// The configuration that a client gives its transport at the start.
#[non_exhaustive]
pub struct ConnectConfig {
    /// The hello for the server's [`Admission::admit`](witrpc_transport::Admission::admit), of at most
    /// [`MAX_HELLO_LEN`](witrpc_transport::MAX_HELLO_LEN) bytes.
    pub hello: Vec<u8>,
    /// How long to wait for a server that does not serve yet. Zero fails at once.
    pub wait_for_server: Duration,
    /// When the connect must be done, including the wait for a server. `None` leaves it to the limits of the
    /// transport. A connect that takes longer returns
    /// [`ConnectError::HandshakeTimedOut`](crate::ConnectError::HandshakeTimedOut), or
    /// [`NobodyServes`](crate::ConnectError::NobodyServes) if it has found no server.
    pub until: Option<Instant>,
    /// The token of a caller that may give up: once it is cancelled, a transport that still waits returns an
    /// error.
    pub cancel: Option<CancelToken>,
    /// How callers wait for answers.
    pub wait: WaitPolicy,
    /// The client's credentials, and its demands on the server.
    pub credentials: Credentials,
    /// Set if what the server sends may be read in place.
    pub trusted: Option<TrustedPeer>,
}

impl ConnectConfig {
    /// Returns a client with this hello that has no token, requires no encryption, and waits for no server. It
    /// tries a transport without the layers above. Set the fields for other values.
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

/// The configuration that a server gives its transport at the start.
#[non_exhaustive]
pub struct BindConfig {
    /// Decides which clients come in.
    pub admission: Arc<dyn Admission>,
    /// How idle threads of the server wait.
    pub wait: WaitPolicy,
    /// Decides which clients are heard at all. The transport asks it before the admission.
    pub guard: Arc<Guard>,
    /// Set if what clients send may be read in place.
    pub trusted: Option<TrustedPeer>,
}

impl BindConfig {
    /// Returns a server that requires neither a token nor encryption. It tries a transport without the layers
    /// above. Set the fields for other values.
    #[must_use]
    pub fn new(admission: Arc<dyn Admission>) -> Self {
        Self { admission, wait: WaitPolicy::default(), guard: Arc::default(), trusted: None }
    }
}
