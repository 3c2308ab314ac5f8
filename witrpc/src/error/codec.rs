//! The codecs by name, for errors and handshakes. The module `codec` implements them.

use std::fmt;

/// The encoding of the values in a service's calls. The client chooses the codec; one server serves
/// several at once.
///
/// With every codec, a `&[T]` argument is sent as it is in memory. So is a `Vec` of numbers (`u8` to
/// `u64`, `i8` to `i64`, `f32`, `f64`) that is a whole argument, a whole result or its `Ok`. A `Vec`
/// *inside* another value is encoded element by element; for bytes, use the `serde_bytes` crate.
///
/// A value that a codec would not return as it was is refused, never sent as something else:
///
/// - When a server binds or a client connects, with the name of the method and field. For JSON and
///   MessagePack, these are `Option<Option<_>>`, `Option<()>`, and internally tagged enums with a field
///   that is a `u128` or `i128`, which serde's buffer does not have; for JSON, maps whose keys it cannot
///   write as strings. For postcard, these are untagged and tagged enums, flattened fields,
///   fields that `skip_serializing_if` may leave out, and types of which a part is
///   [unknown](crate::WitServerBuilder::allow_unverified_types). For all, these are types whose
///   `Serialize` and `Deserialize` are found to differ.
/// - At the call. For JSON and MessagePack, this is a `Some` of a value that is null on the wire, such as
///   `serde_json::Value::Null`, because `None` is null too. For JSON, these are floats that are NaN or
///   infinite, except those that are sent raw. For postcard, this is an IPv6 address with a scope, which
///   serde leaves out of compact forms. For all, these are paths that are not UTF-8. A `u128` or `i128`
///   behind a flatten or in an untagged enum cannot be read: serde's buffer has no such number.
///
/// By default, a server leaves a codec out for a service whose types it does not carry, and a client
/// takes the quickest codec that both sides have. A value may be nested 128 levels deep, with every
/// codec. A type whose levels take much stack ends before: they may take the stack of the thread that reads
/// or writes them, but not its last eighth (at most 256 KiB). With postcard, the sequences and maps of a message may have one element for each byte of the
/// message, and 65,536 more that take no bytes, such as `()`.
///
/// | | Postcard | MessagePack | JSON |
/// | --- | --- | --- | --- |
/// | size and time | least | more | most |
/// | names fields and variants | no | yes | yes |
/// | untagged, tagged, flattened, left out | no | yes | yes |
/// | `Option<Option<_>>` | yes | no | no |
/// | keys of maps | any | any | numbers, `bool`s, strings, names |
/// | NaN and infinity | yes | yes | no |
/// | types such as addresses and dates | compact | as text | as text |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and fast: the [postcard wire format](https://postcard.jamesmunns.com/wire-format).
    #[default]
    Postcard,
    /// Text that other tools can read.
    #[cfg(feature = "json")]
    Json,
    /// Binary, with the names of fields: [MessagePack](https://msgpack.org), with structs as maps. It
    /// carries what postcard does not, such as untagged enums, in fewer bytes than JSON.
    #[cfg(feature = "messagepack")]
    MessagePack,
}

impl Codec {
    /// Returns whether types use their human-readable form, such as a date as text.
    pub(crate) fn is_human_readable(self) -> bool {
        self != Codec::Postcard
    }

    /// Returns whether it is text, in which every key is a string and every number finite.
    pub(crate) fn is_text(self) -> bool {
        match self {
            #[cfg(feature = "json")]
            Codec::Json => true,
            _ => false,
        }
    }

    /// Returns whether its bytes say which kind of value and which field they hold. Then a reader of
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
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => "MessagePack",
        })
    }
}
