//! The errors of encoding and decoding values.

use thiserror::Error;

use super::Codec;
use super::body::{MAX_SECTION_LEN, MAX_SECTIONS};

/// The error of a value that could not be encoded. Its message must not be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{value}`: {fault}")]
pub struct EncodeError {
    /// The name of the argument, or `result` or `error`.
    pub value: &'static str,
    pub fault: EncodeFault,
}

/// The fault of a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeFault {
    #[error("{codec} cannot encode it: {message}")]
    Codec { codec: Codec, message: String },
    /// A field, by `skip_serializing_if`.
    #[error("{codec} cannot encode it: {message}")]
    LeftOut { codec: Codec, message: String },
    /// The path is empty if the value itself is the `Some`.
    #[error(
        "{codec} cannot encode it: {} a Some that holds null, and {codec} writes None as null too, \
         so the reader could not tell the two apart: send None, or a type that writes the inner \
         value as something else",
        if .path.is_empty() { "it is".to_owned() } else { format!("`{}` is", .path) }
    )]
    NullInSome { codec: Codec, path: String },
    #[error("the path is not UTF-8: send its bytes as a `Vec<u8>`")]
    PathNotUtf8,
    #[error(
        "a message carries up to {MAX_SECTIONS} raw slices of up to {} bytes each, this one has \
         {len} bytes: send less at a time",
        MAX_SECTION_LEN
    )]
    TooMuchRaw { len: usize },
    #[error(
        "{len} bytes cannot be lent to this receiver now, and a message carries copies of up to {} \
         bytes each: send less at a time",
        MAX_SECTION_LEN
    )]
    TooLongToCopy { len: usize },
}

/// The error of a message that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The fault is in one of its values.
    #[error("`{value}`: {fault}")]
    Value {
        /// The name of the argument, or `result` or `error`.
        value: &'static str,
        fault: DecodeFault,
    },
    /// The fault is in the lengths at its end.
    #[error("a message of {len} bytes has no valid lengths of raw sections at its end")]
    Trailer { len: usize },
    /// The fault is in its leases.
    #[error("a message that speaks of {named} leases takes {taken} along")]
    Leases { named: usize, taken: usize },
    /// The message has more values than were expected.
    #[error(
        "{bytes} bytes and {sections} raw sections follow the last value: client and server differ \
         in this method"
    )]
    Trailing { bytes: usize, sections: usize },
}

/// The fault of a value's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeFault {
    #[error("{codec} cannot decode it: {message}")]
    Codec { codec: Codec, message: String },
    #[error("the message has no raw section left for it")]
    NoSection,
    #[error("{len} bytes are not a whole number of elements of {element} bytes")]
    Ragged { len: usize, element: usize },
    #[error("{len} bytes are not one value of {element} bytes")]
    NotOne { len: usize, element: usize },
}
