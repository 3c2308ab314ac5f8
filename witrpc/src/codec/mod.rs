//! How values become bytes.

use std::fmt;

/// How the values of a service's calls become bytes. The client chooses; one server speaks
/// several at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and quick.
    #[default]
    Postcard,
    /// Text that other tools can read.
    #[cfg(feature = "json")]
    Json,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Postcard => "postcard",
            #[cfg(feature = "json")]
            Codec::Json => "JSON",
        })
    }
}
