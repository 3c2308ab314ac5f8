//! The messages that client and server exchange before the first call, always in postcard.

use serde::{Deserialize, Serialize};

use crate::contract::Digest;
use crate::error::Codec;

/// The version of these messages, of tags and of bodies. A server refuses any other.
pub const VERSION: u32 = 3;

/// The client's request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`]; stays the first field in all versions.
    pub version: u32,
    /// The service's name on the wire. Empty to learn which services there are: the server answers by
    /// [`Refusal::UnknownService`], and shares no memory.
    pub service: String,
    /// [`Codec::number`].
    pub codec: u8,
    /// The digest of the client's contract: [`Contract`](crate::contract::Contract).
    pub contract: Digest,
}

/// The server's answer to a client that it accepts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// The names of all services that it serves. The index of a service is its number.
    pub services: Vec<String>,
    /// The number of the requested service.
    pub service: u8,
    /// The contract of that service in the client's codec, unless the client's is the same.
    pub contract: Option<Vec<u8>>,
    /// The server's number for this client; only for the client's logs.
    pub client_id: u64,
}

/// The server's answer to a client that it refuses.
#[derive(Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// The server speaks another version.
    VersionMismatch {
        /// The server's [`VERSION`].
        theirs: u32,
    },
    /// The server does not serve this service.
    UnknownService {
        /// The requested service.
        asked: String,
        /// The services that it serves.
        serves: Vec<String>,
    },
    /// The server does not allow this codec.
    CodecNotAllowed {
        /// The requested codec.
        asked: u8,
        /// The codecs that it allows.
        allowed: Vec<u8>,
    },
    /// The transport has not checked the client's credentials.
    NotChecked,
    /// The server accepts no more clients.
    ShuttingDown,
    /// The hello could not be read.
    BadHello(String),
    /// Too many `async` handlers of disconnected clients still run.
    TooManyLeftBehind {
        /// The limit.
        max: u64,
    },
    /// Too many threads are in handlers of disconnected clients.
    TooManyThreadsLeftBehind {
        /// The limit.
        max: u64,
    },
    /// The limit of disconnected clients that wait for cleanup is reached: hooks to call, items to
    /// drop.
    TooManyCleanups {
        /// The limit.
        max: u64,
    },
    /// The codec does not carry all types of the service, so the server left it out.
    CodecLeftOut {
        /// The requested codec.
        asked: u8,
        /// The codecs over which the service is served.
        allowed: Vec<u8>,
        /// The types, and why.
        reason: String,
    },
    /// The requests of `async` handlers of disconnected clients hold too much memory.
    TooManyBytesLeftBehind {
        /// The limit.
        max: u64,
    },
}

impl Refusal {
    /// Returns whether it answers a client that only asks which services there are.
    pub fn is_answer(&self) -> bool {
        matches!(self, Refusal::UnknownService { asked, .. } if asked.is_empty())
    }
}

impl Codec {
    /// Returns the codec's number in a hello.
    pub(crate) fn number(self) -> u8 {
        match self {
            Codec::Postcard => 0,
            #[cfg(feature = "json")]
            Codec::Json => 1,
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => 2,
        }
    }

    /// Returns the codec of that number, if this build has it.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Codec::Postcard),
            #[cfg(feature = "json")]
            1 => Some(Codec::Json),
            #[cfg(feature = "messagepack")]
            2 => Some(Codec::MessagePack),
            _ => None,
        }
    }

    /// Returns all codecs that this build has, the quickest first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [
            Codec::Postcard,
            #[cfg(feature = "messagepack")]
            Codec::MessagePack,
            #[cfg(feature = "json")]
            Codec::Json,
        ]
        .into_iter()
    }
}
