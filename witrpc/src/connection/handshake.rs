//! The messages that client and server exchange before the first call, always in postcard.

use serde::{Deserialize, Serialize};

use crate::contract::Digest;
use crate::error::{Codec, ConnectError};

/// The versions of these messages, of tags and of bodies that this build speaks. A new version is added here as
/// the newest. The oldest is given up in a release that says so.
pub const SPOKEN: Versions = Versions { oldest: 3, newest: 3 };

/// A range of versions.
///
/// A client says hello in its newest version. A server that speaks it answers in it, whichever of its own it is.
/// Any other server refuses, and tells its newest version. If that is an older one that the client speaks, the
/// client says hello again in it. So the two agree on the newest version that both have, and a refusal names what
/// is missing. Neither has to know a version that is newer than itself.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    pub oldest: u32,
    pub newest: u32,
}

impl Versions {
    /// Returns whether this is one of them.
    pub fn speaks(self, version: u32) -> bool {
        (self.oldest..=self.newest).contains(&version)
    }

    /// Says hello in the newest version, and then in older ones for as long as the server asks for them.
    ///
    /// # Errors
    ///
    /// The last error of `greet`. Everything that the server says is untrusted: each version is older than the one
    /// before, so this ends.
    pub fn agree<T>(
        self,
        mut greet: impl FnMut(u32) -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let mut version = self.newest;
        loop {
            match greet(version) {
                Err(ConnectError::VersionMismatch { theirs, .. })
                    if theirs < version && self.speaks(theirs) =>
                {
                    version = theirs;
                }
                agreed => return agreed,
            }
        }
    }
}

/// The client's request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// One of [`SPOKEN`]; stays the first field in all versions.
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
        /// The newest that the server speaks.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a client meet a server. Returns the version that they agree on, and how often the client said hello.
    fn meet(client: [u32; 2], server: [u32; 2]) -> (Result<u32, u32>, usize) {
        let [client, server] = [client, server].map(|[oldest, newest]| Versions { oldest, newest });
        let mut hellos = 0;
        let agreed = client.agree(|version| {
            hellos += 1;
            let theirs = server.newest;
            let refused = ConnectError::VersionMismatch { ours: version, theirs };
            server.speaks(version).then_some(version).ok_or(refused)
        });
        let agreed = agreed.map_err(|error| match error {
            ConnectError::VersionMismatch { theirs, .. } => theirs,
            other => panic!("{other}"),
        });
        (agreed, hellos)
    }

    #[test]
    fn the_two_agree_on_the_newest_version_that_both_have() {
        assert_eq!(meet([3, 3], [3, 3]), (Ok(3), 1));
        assert_eq!(meet([3, 5], [4, 6]), (Ok(5), 1), "the server is newer");
        assert_eq!(meet([4, 6], [3, 5]), (Ok(5), 2), "the client is newer");
        assert_eq!(meet([3, 7], [3, 3]), (Ok(3), 2));
    }

    #[test]
    fn without_a_version_of_both_the_client_learns_the_server_s_newest() {
        assert_eq!(meet([3, 4], [5, 6]), (Err(6), 1));
        assert_eq!(meet([5, 6], [3, 4]), (Err(4), 1));
    }

    #[test]
    fn a_server_that_lies_does_not_keep_a_client_busy() {
        let (client, mut hellos) = (Versions { oldest: 3, newest: 6 }, Vec::new());
        let answers = [5, 5, 7, 6];
        let refused = client.agree::<()>(|version| {
            let theirs = answers[hellos.len()];
            hellos.push(version);
            Err(ConnectError::VersionMismatch { ours: version, theirs })
        });
        assert!(matches!(refused, Err(ConnectError::VersionMismatch { ours: 5, theirs: 5 })));
        assert_eq!(hellos, [6, 5]);
    }
}
