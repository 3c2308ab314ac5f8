//! The limits of a server on the streams of a client.

use std::fmt;

/// A server's limit on the streams of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamLimit {
    /// The number of open streams.
    Open,
    /// The number of methods with a stream that have begun and not ended. Methods of closed streams end
    /// a little later.
    Methods,
    /// The total length of the requests of these methods, in bytes.
    RequestBytes,
}

impl StreamLimit {
    /// All limits, in the order of their numbers on the wire.
    pub(super) const ALL: [Self; 3] = [Self::Open, Self::Methods, Self::RequestBytes];

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for StreamLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StreamLimit::Open => "open streams",
            StreamLimit::Methods => "methods with a stream that have not ended",
            StreamLimit::RequestBytes => "bytes in the requests of methods with a stream",
        })
    }
}
