//! What client and server say to each other before the first call, always in postcard.

use serde::{Deserialize, Serialize};

use crate::contract::Digest;
use crate::error::Codec;

/// The version of these messages, of tags and of bodies. A server refuses any other.
pub const VERSION: u32 = 3;

/// What a client asks for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`]; stays the first field, whatever follows.
    pub version: u32,
    /// The service's name on the wire.
    pub service: String,
    /// [`Codec::number`].
    pub codec: u8,
    /// Of the client's contract: [`Contract`](crate::contract::Contract).
    pub contract: Digest,
}

/// What a server says to a client that it lets in.
#[derive(Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// The names of all that it serves; a service's place is its number.
    pub services: Vec<String>,
    /// The number of the service asked for.
    pub service: u8,
    /// The contract of that service in the client's codec, unless the client's is the same.
    pub contract: Option<Vec<u8>>,
    /// How the server numbers this client; for the client's logs only.
    pub client_id: u64,
}

/// What a server says to a client that it turns away.
#[derive(Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// It speaks another version.
    VersionMismatch {
        /// The server's [`VERSION`].
        theirs: u32,
    },
    /// It does not serve this.
    UnknownService {
        /// The service asked for.
        asked: String,
        /// What it serves.
        serves: Vec<String>,
    },
    /// It does not speak this codec.
    CodecNotAllowed {
        /// The codec asked for.
        asked: u8,
        /// What it speaks.
        allowed: Vec<u8>,
    },
    /// The transport has not had the client's credentials checked.
    NotChecked,
    /// It accepts nobody any more.
    ShuttingDown,
    /// The hello could not be read.
    BadHello(String),
    /// As many `async` handlers of clients that have gone still run as may.
    TooManyLeftBehind {
        /// How many.
        max: u64,
    },
    /// As many threads are in handlers of clients that have gone as may.
    TooManyThreadsLeftBehind {
        /// How many.
        max: u64,
    },
}

impl Codec {
    /// The codec's number in a hello.
    pub(crate) fn number(self) -> u8 {
        match self {
            Codec::Postcard => 0,
            #[cfg(feature = "json")]
            Codec::Json => 1,
        }
    }

    /// The codec of that number, if this build has it.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Codec::Postcard),
            #[cfg(feature = "json")]
            1 => Some(Codec::Json),
            _ => None,
        }
    }

    /// All that this build has.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map_while(Self::from_number)
    }
}
