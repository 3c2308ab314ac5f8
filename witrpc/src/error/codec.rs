//! Which codec: the name that errors and handshakes say, of what `codec` does.

use std::fmt;

/// How the values of a service's calls become bytes. The client chooses; one server speaks
/// several at once.
///
/// Whatever the codec, a `&[T]` argument travels as it lies in memory, and so does a `Vec` of
/// numbers (`u8` to `u64`, `i8` to `i64`, `f32`, `f64`) that is a whole argument, a whole result or
/// its `Ok`. A `Vec` *inside* another value is encoded element by element; for bytes, the
/// `serde_bytes` crate helps.
///
/// What a codec would not give back as it was is refused, never sent as something else:
///
/// - When a server binds or a client connects, by the name of the method and field: for JSON
///   `Option<Option<_>>`, `Option<()>` and maps whose keys are no strings; for postcard untagged and
///   internally tagged enums, flattened fields and types of which a part is
///   [unknown](crate::WitServerBuilder::allow_unverified_types); for both, types whose `Serialize`
///   and `Deserialize` are seen to differ.
/// - At the call: floats that are NaN or infinite in JSON (not those that travel raw), and a `Some`
///   of what is null in JSON, such as `serde_json::Value::Null`, as `None` is null too; fields that
///   `skip_serializing_if` leaves out in postcard; paths that are not UTF-8.
///
/// A value may be nested 128 levels deep. In postcard, the sequences and maps of a message may have
/// 65,536 elements that take no bytes, such as `()`, beyond one for each byte of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and quick: the [postcard wire format](https://postcard.jamesmunns.com/wire-format).
    #[default]
    Postcard,
    /// Text that other tools can read.
    #[cfg(feature = "json")]
    Json,
}

impl Codec {
    /// Whether types show themselves in the way that they have for people: a date as text.
    pub(crate) fn is_human_readable(self) -> bool {
        self != Codec::Postcard
    }

    /// Whether its bytes say which kind of value and which field they hold, so that a reader of
    /// another type fails instead of reading a wrong value.
    pub(crate) fn describes_itself(self) -> bool {
        self != Codec::Postcard
    }
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
