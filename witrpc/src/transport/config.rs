//! What client and server give their transport at the start.

use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::{Admission, TrustedPeer, WaitPolicy};

use crate::security::{Credentials, Guard};

/// What a client gives its transport at the start.
pub struct ConnectConfig {
    /// Handed to the server's [`Admission::admit`](crate::transport::Admission::admit); at most
    /// [`MAX_HELLO_LEN`](crate::transport::MAX_HELLO_LEN) bytes.
    pub hello: Vec<u8>,
    /// How long to wait for a server that does not serve yet; zero fails at once.
    pub wait_for_server: Duration,
    /// How callers wait for answers.
    pub wait: WaitPolicy,
    /// What the client brings, and asks of the server.
    pub credentials: Credentials,
    /// Whether what the server sends may be read in place.
    pub trusted: Option<TrustedPeer>,
}

/// What a server gives its transport at the start.
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
