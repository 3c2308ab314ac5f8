//! Builds the body of a message.

use std::path::Path;

use bytemuck::Pod;
use serde::Serialize;

use super::Codec;
use super::body::{MAX_SECTIONS, Sections, Trailer};
use super::buffer::SmallBuf;
use super::error::{EncodeError, EncodeFault};
use super::{plain, strict};
use crate::transport::{Body, Fill, SMALL_LEN};

/// A message body in the making. What is raw stays where the user has it, until the transport
/// has found space for it.
pub(crate) struct Encoder<'a> {
    codec: Codec,
    encoded: SmallBuf,
    raw: Vec<&'a [u8]>,
}

impl<'a> Encoder<'a> {
    #[inline]
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codec, encoded: SmallBuf::new(), raw: Vec::new() }
    }

    /// Adds a value: raw if it is a `Vec` of numbers, else encoded.
    #[inline]
    pub(crate) fn value<T: Serialize + 'static>(
        &mut self,
        name: &'static str,
        value: &'a T,
    ) -> Result<(), EncodeError> {
        match plain::raw_bytes(value) {
            Some(bytes) => self.section(name, bytes),
            None => self.encode(name, value),
        }
    }

    pub(crate) fn str(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError> {
        self.encode(name, text)
    }

    /// Adds a path, which must be UTF-8, as a string.
    pub(crate) fn path(&mut self, name: &'static str, path: &Path) -> Result<(), EncodeError> {
        let text =
            path.to_str().ok_or(EncodeError { value: name, fault: EncodeFault::PathNotUtf8 })?;
        self.encode(name, text)
    }

    /// Adds a slice that travels as it lies in memory.
    pub(crate) fn raw<T: Pod>(
        &mut self,
        name: &'static str,
        elements: &'a [T],
    ) -> Result<(), EncodeError> {
        self.section(name, bytemuck::cast_slice(elements))
    }

    /// Adds a number that a protocol of ours needs.
    pub(crate) fn number(&mut self, name: &'static str, number: u64) -> Result<(), EncodeError> {
        self.encode(name, &number)
    }

    /// Adds numbers that a protocol of ours needs.
    pub(crate) fn list(&mut self, name: &'static str, numbers: &[u16]) -> Result<(), EncodeError> {
        self.encode(name, numbers)
    }

    /// Adds a raw section.
    pub(super) fn raw_bytes(
        &mut self,
        name: &'static str,
        bytes: &'a [u8],
    ) -> Result<(), EncodeError> {
        self.section(name, bytes)
    }

    /// Adds values that are encoded already.
    pub(super) fn append(&mut self, encoded: &[u8]) {
        self.encoded.extend(encoded);
    }

    /// What has been encoded so far.
    pub(super) fn encoded(&self) -> &[u8] {
        self.encoded.as_slice()
    }

    /// Hands out whether the body has raw sections, and the body. May be called again, with an
    /// equal body, as long as a transport asks for it.
    #[inline]
    pub(crate) fn with_body<R>(&self, send: impl FnOnce(bool, Body<'_>) -> R) -> R {
        if !self.raw.is_empty() {
            return self.with_raw_body(|body| send(true, body));
        }
        match self.encoded.as_padded() {
            Some((padded, len)) => send(false, Body::Small { padded, len }),
            None => send(false, Body::Large(&Encoded(self.encoded.as_slice()))),
        }
    }

    fn with_raw_body<R>(&self, send: impl FnOnce(Body<'_>) -> R) -> R {
        let gathered = Gathered::new(&self.raw, self.encoded.as_slice());
        let len = gathered.len();
        if len <= SMALL_LEN {
            let mut padded = [0; SMALL_LEN];
            gathered.write_at(0, &mut padded[..len]);
            send(Body::Small { padded: &padded, len })
        } else {
            send(Body::Large(&gathered))
        }
    }

    fn section(&mut self, name: &'static str, bytes: &'a [u8]) -> Result<(), EncodeError> {
        if self.raw.len() == MAX_SECTIONS || u32::try_from(bytes.len()).is_err() {
            let fault = EncodeFault::TooMuchRaw { len: bytes.len() };
            return Err(EncodeError { value: name, fault });
        }
        self.raw.push(bytes);
        Ok(())
    }

    // Inlined by force, as is its counterpart in the decoder: for a number, the call and the way
    // of the result through memory take twice the time of the work.
    #[inline(always)]
    fn encode<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let outcome = match self.codec {
            Codec::Postcard => self.encode_postcard(value),
            #[cfg(feature = "json")]
            Codec::Json => self.encode_json(value),
        };
        outcome.map_err(|message| EncodeError {
            value: name,
            fault: EncodeFault::Codec { codec: self.codec, message },
        })
    }

    #[inline(always)]
    fn encode_postcard<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), String> {
        let mut serializer = postcard::Serializer { output: &mut self.encoded };
        strict::serialize(value, Codec::Postcard, &mut serializer)
    }

    #[cfg(feature = "json")]
    fn encode_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), String> {
        let mut serializer = serde_json::Serializer::new(&mut self.encoded);
        strict::serialize(value, Codec::Json, &mut serializer)?;
        self.encoded.push(b'\n');
        Ok(())
    }
}

/// A body that lies in one piece: the encoded section alone, or a text.
pub(crate) struct Encoded<'a>(pub(crate) &'a [u8]);

impl Fill for Encoded<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

/// A body with raw sections, whose parts are brought together where the transport wants them.
struct Gathered<'a> {
    raw: &'a [&'a [u8]],
    sections: Sections,
    encoded: &'a [u8],
    trailer: Trailer,
}

impl<'a> Gathered<'a> {
    fn new(raw: &'a [&'a [u8]], encoded: &'a [u8]) -> Self {
        let mut sections = Sections::default();
        for bytes in raw {
            sections.push(bytes.len()).expect("count and length were checked when it was added");
        }
        Self { raw, sections, encoded, trailer: sections.trailer() }
    }
}

impl Fill for Gathered<'_> {
    fn len(&self) -> usize {
        self.sections.end() + self.encoded.len() + self.trailer.as_slice().len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        let end = self.sections.end();
        let tail = [(end, self.encoded), (end + self.encoded.len(), self.trailer.as_slice())];
        let starts = self.sections.ranges().map(|range| range.start);
        let mut written = 0;
        for (start, part) in starts.zip(self.raw.iter().copied()).chain(tail) {
            // The padding before this part: nothing of the space's former content may leak.
            let pad = start.saturating_sub(offset + written).min(out.len() - written);
            out[written..written + pad].fill(0);
            written += pad;
            let rest = part.get((offset + written).saturating_sub(start)..).unwrap_or_default();
            let take = rest.len().min(out.len() - written);
            out[written..written + take].copy_from_slice(&rest[..take]);
            written += take;
        }
    }
}
