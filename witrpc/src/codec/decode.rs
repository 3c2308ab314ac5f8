//! Reads the values of an opened message, in order.

use std::borrow::Cow;
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
#[cfg(feature = "dynamic")]
use serde::de::DeserializeSeed;
use serde::de::{Deserialize, DeserializeOwned};
use witrpc_transport::SharedBytes;

use super::bounded::{Bounds, MAX_EMPTY_ELEMENTS};
use super::error::{DecodeError, DecodeFault};
#[cfg(feature = "json")]
use super::json;
#[cfg(feature = "messagepack")]
use super::messagepack;
use super::open::RawSections;
use super::plain::ReadRaw;
use super::shareable::Shareable;
use super::text::Text;
use super::{Codec, number, plain, text};

/// A decoder of an opened message's values, in order.
pub struct Decoder<'a> {
    pub codec: Codec,
    rest: &'a [u8],
    raw: Option<&'a RawSections>,
    next_section: usize,
    /// How many elements the remaining values may have, by [`MAX_EMPTY_ELEMENTS`].
    elements: Cell<usize>,
}

impl<'a> Decoder<'a> {
    #[inline]
    pub fn new(codec: Codec, encoded: &'a [u8], raw: Option<&'a RawSections>) -> Self {
        let elements = Cell::new(encoded.len().saturating_add(MAX_EMPTY_ELEMENTS));
        Self { codec, rest: encoded, raw, next_section: 0, elements }
    }

    /// Decodes the next value: from a raw section if it is a `Vec` of numbers, otherwise from the
    /// encoded section. Inlined for the same reason as the encoder.
    #[inline(always)]
    pub fn value<T: DeserializeOwned + 'static>(
        &mut self,
        name: &'static str,
    ) -> Result<T, DecodeError> {
        if let Codec::Postcard = self.codec
            && let Some(value) =
                number::read(&mut self.rest).or_else(|| text::read_string(&mut self.rest))
        {
            return Ok(value);
        }
        match plain::read_plain_vec(self) {
            Some(outcome) => outcome.map_err(|fault| DecodeError::Value { value: name, fault }),
            None => self.decode(name),
        }
    }

    /// Decodes the next value as a string, borrowed where the codec allows it.
    #[inline]
    pub fn str(&mut self, name: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        if let Codec::Postcard = self.codec
            && let Some(text) = text::read(&mut self.rest)
        {
            return Ok(Cow::Borrowed(text));
        }
        self.decode(name).map(|Text(text)| text)
    }

    /// Decodes the next value as a path.
    pub fn path(&mut self, name: &'static str) -> Result<Cow<'a, Path>, DecodeError> {
        Ok(match self.str(name)? {
            Cow::Borrowed(text) => Cow::Borrowed(Path::new(text)),
            Cow::Owned(text) => Cow::Owned(text.into()),
        })
    }

    /// Decodes the next value as a slice that was sent raw. It is borrowed if its memory cannot
    /// change and is aligned for it.
    pub fn raw<T: Pod>(&mut self, name: &'static str) -> Result<Cow<'a, [T]>, DecodeError> {
        self.section()
            .and_then(|(raw, index)| raw.view(index))
            .map_err(|fault| DecodeError::Value { value: name, fault })
    }

    /// Decodes the next value as bytes to share.
    pub fn shared<F: ?Sized + Shareable>(
        &mut self,
        name: &'static str,
    ) -> Result<Arc<dyn SharedBytes>, DecodeError> {
        self.section()
            .and_then(|(raw, index)| raw.share::<F>(index))
            .map_err(|fault| DecodeError::Value { value: name, fault })
    }

    /// Decodes the next value as a number of this library's own protocols.
    pub fn number(&mut self, name: &'static str) -> Result<u64, DecodeError> {
        self.decode(name)
    }

    /// Decodes the next value as numbers of this library's own protocols.
    pub fn list(&mut self, name: &'static str) -> Result<Vec<u16>, DecodeError> {
        self.decode(name)
    }

    /// Decodes the next value of postcard's bytes as `seed` reads it.
    #[cfg(feature = "dynamic")]
    pub fn postcard_seed<S: DeserializeSeed<'a>>(
        &mut self,
        name: &'static str,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        let mut deserializer = postcard::Deserializer::from_bytes(self.rest);
        let read = Bounds::new(&self.elements).seed(seed, &mut deserializer, in_words);
        let read = read.and_then(|value| Ok((value, deserializer.finalize().map_err(in_words)?)));
        let fault = |message| DecodeFault::Codec { codec: Codec::Postcard, message };
        let (value, rest) =
            read.map_err(|message| DecodeError::Value { value: name, fault: fault(message) })?;
        self.rest = rest;
        Ok(value)
    }

    /// Takes all raw sections that are left, as bytes, and all encoded bytes.
    #[cfg(feature = "dynamic")]
    pub fn take_undecoded(&mut self) -> Result<(Vec<Vec<u8>>, &'a [u8]), DecodeError> {
        let left = self.raw.map_or(0, RawSections::count) - self.next_section;
        let sections = (0..left).map(|_| Ok(self.raw::<u8>("items")?.into_owned()));
        let sections = sections.collect::<Result<_, DecodeError>>()?;
        Ok((sections, std::mem::take(&mut self.rest)))
    }

    /// Announces a batch, which may hold twice as many elements that take no bytes. A sender ends a
    /// batch after the item that reaches [`MAX_EMPTY_ELEMENTS`], and that item alone may have this
    /// number.
    pub fn expect_batch(&self) {
        self.elements.set(self.elements.get().saturating_add(MAX_EMPTY_ELEMENTS));
    }

    /// Checks that nothing follows the last value.
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        let sections = self.raw.map_or(0, RawSections::count) - self.next_section;
        if self.rest.is_empty() && sections == 0 {
            return Ok(());
        }
        Err(DecodeError::Trailing { bytes: self.rest.len(), sections })
    }

    /// Reads the whole body as one value.
    #[inline(always)]
    pub fn whole<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let value = read(self)?;
        self.finish().map(|()| value)
    }

    fn section(&mut self) -> Result<(&'a RawSections, usize), DecodeFault> {
        let raw = self.raw.filter(|raw| self.next_section < raw.count());
        let raw = raw.ok_or(DecodeFault::NoSection)?;
        self.next_section += 1;
        Ok((raw, self.next_section - 1))
    }

    #[inline(always)]
    fn decode<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        let outcome = match self.codec {
            Codec::Postcard => self.decode_postcard(),
            #[cfg(feature = "json")]
            Codec::Json => json::decode(&mut self.rest),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => messagepack::decode(&mut self.rest),
        };
        outcome.map_err(|message| DecodeError::Value {
            value: name,
            fault: DecodeFault::Codec { codec: self.codec, message: explained(message) },
        })
    }

    #[inline(always)]
    fn decode_postcard<T: Deserialize<'a>>(&mut self) -> Result<T, String> {
        let mut deserializer = postcard::Deserializer::from_bytes(self.rest);
        let value = Bounds::new(&self.elements).deserialize(&mut deserializer, in_words)?;
        self.rest = deserializer.finalize().map_err(in_words)?;
        Ok(value)
    }
}

impl ReadRaw for Decoder<'_> {
    type Error = DecodeFault;

    fn read_raw<E: Pod>(&mut self) -> Result<Vec<E>, DecodeFault> {
        let (raw, index) = self.section()?;
        raw.take(index)
    }
}

/// Returns postcard's error in words that need no knowledge of postcard.
fn in_words(error: postcard::Error) -> String {
    match error {
        postcard::Error::WontImplement => "its type asks what comes next (it is untagged, \
            internally tagged, flattened or the like), which postcard does not tell"
            .to_owned(),
        postcard::Error::DeserializeUnexpectedEnd => "the message ends within it".to_owned(),
        error => error.to_string(),
    }
}

/// Explains what serde reports of a wide integer that it has buffered.
#[cold]
fn explained(message: String) -> String {
    let wide = ["i128 is not supported", "u128 is not supported"];
    if !wide.iter().any(|words| message.starts_with(words)) {
        return message;
    }
    format!(
        "{message} by serde behind a tag, a flatten or in an untagged enum: use a u64, a string, or an \
         enum without these attributes"
    )
}
