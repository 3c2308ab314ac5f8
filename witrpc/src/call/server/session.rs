//! The state that a server keeps for each of its clients.
//!
//! Streams and events keep their own state for a client in a *part*, whose type only they know. So they
//! stand above this file and not within it. Plain calls use no part.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use witrpc_transport::Session;

use crate::codec::Codec;
use crate::observe::counters::{Counter, CounterRegistry};
use crate::observe::left_behind::{ClientJobs, LeftBehind};
use crate::stream::server::stream_cancel::StreamCancel;

/// A part of a session, found by its type.
pub type SessionPart = Box<dyn Any + Send + Sync>;

/// The state that a server keeps for a client, from its admission until its connection ends. The
/// transport stores it as a [`Session`].
pub struct ClientSession {
    /// The encoding of the client's values.
    pub codec: Codec,
    parts: Vec<SessionPart>,
    /// The number of the client's jobs.
    pub jobs: ClientJobs,
    /// Cancelled when the client disconnects.
    pub presence: Arc<StreamCancel>,
    /// The counters of the server.
    counter_registry: Arc<CounterRegistry>,
}

impl ClientSession {
    /// Creates what a transport stores for a new client.
    pub fn begin(
        codec: Codec,
        counter_registry: Arc<CounterRegistry>,
        parts: Vec<SessionPart>,
    ) -> Session {
        let (jobs, presence) = (ClientJobs::default(), StreamCancel::taken());
        let session = Self { codec, parts, jobs, presence, counter_registry };
        Session::new(Arc::new(session)).with_note(note(codec))
    }

    /// Returns the state that a transport has stored.
    ///
    /// # Panics
    ///
    /// Panics when the transport hands back a session that no server of this crate has given it.
    #[inline]
    pub fn of(session: &Session) -> &Self {
        session.get().expect("a transport hands back the session that the admission gave it")
    }

    /// Returns the counter of answers that any thread may give.
    pub fn late(&self) -> Counter<'_> {
        self.counter_registry.late()
    }

    /// Returns the part of that type.
    ///
    /// # Panics
    ///
    /// Panics when the session was begun without that part.
    pub fn part<T: Any>(&self) -> &T {
        let mut found = self.parts.iter().filter_map(|part| part.downcast_ref());
        found.next().expect("a server begins each session with all parts")
    }

    /// Returns the counter of jobs whose clients have gone.
    pub fn left_behind(&self) -> &LeftBehind {
        &self.counter_registry.left_behind
    }

    /// Cancels the jobs that end with the client, which has disconnected.
    pub fn leave(&self) {
        self.jobs.leave(self.left_behind());
        self.presence.cut();
    }

    /// Returns the codec that this note stands for. A plain call needs nothing else of its session.
    #[inline]
    pub fn codec_noted(note: u32) -> Codec {
        match note {
            #[cfg(feature = "json")]
            JSON => Codec::Json,
            #[cfg(feature = "messagepack")]
            MESSAGE_PACK => Codec::MessagePack,
            _ => Codec::Postcard,
        }
    }
}

/// The note of a session whose client has chosen JSON.
#[cfg(feature = "json")]
const JSON: u32 = 1;

/// The note of a session whose client has chosen MessagePack.
#[cfg(feature = "messagepack")]
const MESSAGE_PACK: u32 = 2;

/// Returns the note of a session whose client has chosen that codec.
fn note(codec: Codec) -> u32 {
    match codec {
        Codec::Postcard => 0,
        #[cfg(feature = "json")]
        Codec::Json => JSON,
        #[cfg(feature = "messagepack")]
        Codec::MessagePack => MESSAGE_PACK,
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
        for codec in Codec::all() {
            let session = ClientSession::begin(codec, Arc::default(), Vec::new());
            assert_eq!(ClientSession::codec_noted(session.note()), codec);
            assert_eq!(ClientSession::of(&session).codec, codec);
        }
    }
}
