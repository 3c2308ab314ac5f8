//! What a server keeps for each of its clients.

use std::fmt;
use std::sync::Arc;

use crate::codec::Codec;

/// What a server keeps for a client, made when the client is let in and gone with its connection.
/// For a transport it is a thing to keep beside the connection and to hand back
/// ([`Peer::session`](crate::transport::Peer::session)). Clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<State>);

struct State {
    /// How the client's values become bytes.
    codec: Codec,
}

impl Session {
    pub(crate) fn new(codec: Codec) -> Self {
        Self(Arc::new(State { codec }))
    }

    #[inline]
    pub(super) fn codec(&self) -> Codec {
        self.0.codec
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("codec", &self.0.codec).finish_non_exhaustive()
    }
}
