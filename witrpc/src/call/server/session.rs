//! What a server keeps for each of its clients.
//!
//! Streams and events keep something of their own for a client: a *part*, which they alone know, so that they
//! stand above this file and not within it. Plain calls ask for no part.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use witrpc_transport::Session;

use crate::codec::Codec;
use crate::observe::counters::{Counter, CounterRegistry};
use crate::observe::left_behind::{ClientJobs, LeftBehind};
use crate::stream::server::stream_cancel::StreamCancel;

/// What one of those who serve a client keeps for it, found by its type.
pub type SessionPart = Box<dyn Any + Send + Sync>;

/// What a server keeps for a client: made when the client is let in, gone with its connection. The
/// transport keeps it as a [`Session`].
pub struct ClientSession {
    /// How the client's values become bytes.
    pub codec: Codec,
    parts: Vec<SessionPart>,
    /// The count of the client's jobs.
    pub jobs: ClientJobs,
    /// Cut when the client goes.
    pub presence: Arc<StreamCancel>,
    /// Where the server counts.
    counter_registry: Arc<CounterRegistry>,
}

impl ClientSession {
    /// Makes what a transport keeps for a new client.
    pub fn begin(
        codec: Codec,
        counter_registry: Arc<CounterRegistry>,
        parts: Vec<SessionPart>,
    ) -> Session {
        let (jobs, presence) = (ClientJobs::default(), StreamCancel::taken());
        let session = Self { codec, parts, jobs, presence, counter_registry };
        Session::new(Arc::new(session)).with_note(note(codec))
    }

    /// Returns what a transport has kept.
    ///
    /// # Panics
    ///
    /// When the transport hands back a session that no server of this crate has given it.
    #[inline]
    pub fn of(session: &Session) -> &Self {
        session.get().expect("a transport hands back the session that the admission gave it")
    }

    /// Where answers are counted that are given from any thread.
    pub fn late(&self) -> Counter<'_> {
        self.counter_registry.late()
    }

    /// Returns the part of that type.
    ///
    /// # Panics
    ///
    /// When the session was begun without it.
    pub fn part<T: Any>(&self) -> &T {
        let mut found = self.parts.iter().filter_map(|part| part.downcast_ref());
        found.next().expect("a server begins each session with all parts")
    }

    /// Returns what counts the jobs of clients that have gone.
    pub fn left_behind(&self) -> &LeftBehind {
        &self.counter_registry.left_behind
    }

    /// The client has gone: tells the jobs that go with it.
    pub fn leave(&self) {
        self.jobs.leave(self.left_behind());
        self.presence.cut();
    }

    /// Returns the codec of a session that has this note: a plain call needs nothing else of it.
    #[inline]
    pub fn codec_noted(note: u32) -> Codec {
        match note {
            #[cfg(feature = "json")]
            JSON => Codec::Json,
            _ => Codec::Postcard,
        }
    }
}

/// What stands beside a session whose client has chosen JSON.
#[cfg(feature = "json")]
const JSON: u32 = 1;

/// What stands beside a session whose client has chosen that codec.
fn note(codec: Codec) -> u32 {
    match codec {
        Codec::Postcard => 0,
        #[cfg(feature = "json")]
        Codec::Json => JSON,
    }
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession").field("codec", &self.codec).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_beside_a_session_tells_its_codec() {
        for codec in [
            Codec::Postcard,
            #[cfg(feature = "json")]
            Codec::Json,
        ] {
            let session = ClientSession::begin(codec, Arc::default(), Vec::new());
            assert_eq!(ClientSession::codec_noted(session.note()), codec);
            assert_eq!(ClientSession::of(&session).codec, codec);
        }
    }
}
