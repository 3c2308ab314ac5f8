//! Builds the body of a message.

use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use serde::Serialize;
use witrpc_transport::{Body, Fill, Lent, Lessor, SMALL_LEN, SharedBytes, Short};

use crate::rt::Rare;

use super::body::{MAX_SECTION_LEN, MAX_SECTIONS, Sections};
use super::buffer::SmallBuf;
use super::error::{EncodeError, EncodeFault};
#[cfg(feature = "json")]
use super::json;
#[cfg(feature = "messagepack")]
use super::messagepack;
use super::{Codec, number, plain, strict, text};

/// A message body that is being built. Raw data stays in the user's memory until the transport has
/// found space for it.
pub struct Encoder<'a> {
    codec: Codec,
    encoded: SmallBuf,
    raw: Vec<Section<'a>>,
    /// How the shared sections are sent, if there are any.
    shared: Rare<Decided>,
}

/// A raw section to be sent. It needs no drop, because a drop would cost every call a check.
#[derive(Clone, Copy)]
enum Section<'a> {
    Bytes(&'a [u8]),
    /// Shared bytes: lent or copied, which is not decided yet.
    Shared(&'a Arc<dyn SharedBytes>),
    /// Shared bytes that are lent: the next lease of the message.
    Lease(&'a Arc<dyn SharedBytes>),
    /// Shared bytes of a peer's lease that are copied, with the number of the copy.
    Copied(&'a Arc<dyn SharedBytes>, usize),
}

/// The decisions on how shared bytes are sent.
#[derive(Default)]
struct Decided {
    /// The leases that the message carries.
    leases: Vec<Lent>,
    /// The copies of bytes that it cannot lend.
    copies: Vec<Vec<u8>>,
}

impl Decided {
    /// Returns a section of bytes that cannot be lent.
    fn copy<'a>(&mut self, bytes: &'a Arc<dyn SharedBytes>) -> Result<Section<'a>, EncodeError> {
        let len = bytes.len();
        if len > MAX_SECTION_LEN {
            return Err(EncodeError { value: "Shared", fault: EncodeFault::TooLongToCopy { len } });
        }
        Ok(match bytes.as_slice() {
            Some(bytes) => Section::Bytes(bytes),
            None => {
                let mut copy = vec![0; len];
                bytes.copy_to(0, &mut copy);
                self.copies.push(copy);
                Section::Copied(bytes, self.copies.len() - 1)
            }
        })
    }
}

impl<'a> Encoder<'a> {
    #[inline]
    pub fn new(codec: Codec) -> Self {
        Self { codec, encoded: SmallBuf::new(), raw: Vec::new(), shared: Rare::default() }
    }

    /// Adds a value: raw if it is a `Vec` of numbers, otherwise encoded. Inlined so that the type
    /// decides this at compile time, and for the reason given at [`encode`](Self::encode).
    #[inline(always)]
    pub fn value<T: Serialize + 'static>(
        &mut self,
        name: &'static str,
        value: &'a T,
    ) -> Result<(), EncodeError> {
        if let (Codec::Postcard, Some(number)) = (self.codec, number::of_value(value)) {
            number::write(number, &mut self.encoded);
            return Ok(());
        }
        if let Some(text) = text::of_value(value) {
            return self.str(name, text);
        }
        match plain::raw_bytes(value) {
            Some(bytes) => self.section(name, bytes),
            None => self.encode(name, value),
        }
    }

    /// Adds a borrowed value, or that there is none: as an `Option` of what it is when owned.
    pub fn optional<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&T>,
    ) -> Result<(), EncodeError> {
        self.encode(name, &value)
    }

    /// Adds a string.
    #[inline]
    pub fn str(&mut self, name: &'static str, text: &str) -> Result<(), EncodeError> {
        if self.codec == Codec::Postcard {
            text::write(text, &mut self.encoded);
            return Ok(());
        }
        self.encode(name, text)
    }

    /// Adds a path, which must be UTF-8, as a string.
    pub fn path(&mut self, name: &'static str, path: &Path) -> Result<(), EncodeError> {
        let text =
            path.to_str().ok_or(EncodeError { value: name, fault: EncodeFault::PathNotUtf8 })?;
        self.str(name, text)
    }

    /// Adds a slice that is sent as it is in memory.
    pub fn raw<T: Pod>(
        &mut self,
        name: &'static str,
        elements: &'a [T],
    ) -> Result<(), EncodeError> {
        self.section(name, bytemuck::cast_slice(elements))
    }

    /// Adds bytes that the message lends if it can, of any length. Call
    /// [`decide_leases`](Self::decide_leases) after the last value.
    pub fn shared(
        &mut self,
        name: &'static str,
        bytes: &'a Arc<dyn SharedBytes>,
    ) -> Result<(), EncodeError> {
        self.check_section(name, 0)?;
        self.raw.push(Section::Shared(bytes));
        self.shared.get_or_insert_default();
        Ok(())
    }

    /// Decides what is lent: all that `lessor` lends, if the body stays short enough. The rest is
    /// copied. Decides again for a message that is sent again over another connection.
    ///
    /// # Errors
    ///
    /// A part is too long to be copied. The message must not be sent.
    #[inline]
    pub fn decide_leases<'l>(
        &mut self,
        lessor: impl FnOnce() -> Option<&'l dyn Lessor>,
    ) -> Result<(), EncodeError> {
        if self.shared.is_some() {
            self.lend(lessor())?;
        }
        Ok(())
    }

    #[inline(never)]
    fn lend(&mut self, lessor: Option<&dyn Lessor>) -> Result<(), EncodeError> {
        let Some(decided) = &mut *self.shared else { return Ok(()) };
        // Leases claimed by an earlier decision can be lent again only after they are returned.
        decided.copies.clear();
        decided.leases.clear();
        decided.leases.reserve_exact(self.raw.len());
        for section in &mut self.raw {
            let (Section::Shared(bytes) | Section::Lease(bytes) | Section::Copied(bytes, _)) =
                *section
            else {
                continue;
            };
            *section = match lessor.and_then(|lessor| lessor.lend(bytes)) {
                Some(lent) => {
                    decided.leases.push(lent);
                    Section::Lease(bytes)
                }
                None => decided.copy(bytes)?,
            };
        }
        let longest = lessor.map_or(0, |lessor| lessor.longest_body_with(decided.leases.len()));
        if Gathered::new(&self.raw, &decided.copies, self.encoded.as_slice()).len() > longest {
            decided.leases.clear();
            for section in &mut self.raw {
                if let Section::Lease(bytes) = *section {
                    *section = decided.copy(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a number of this library's own protocols.
    pub fn number(&mut self, name: &'static str, number: u64) -> Result<(), EncodeError> {
        self.encode(name, &number)
    }

    /// Adds numbers of this library's own protocols.
    pub fn list(&mut self, name: &'static str, numbers: &[u16]) -> Result<(), EncodeError> {
        self.encode(name, numbers)
    }

    /// Adds a raw section.
    pub fn raw_bytes(&mut self, name: &'static str, bytes: &'a [u8]) -> Result<(), EncodeError> {
        self.section(name, bytes)
    }

    /// Adds an item of a stream. Returns how many elements all its sequences and maps have
    /// together.
    pub fn item<T: Serialize>(&mut self, item: &T) -> Result<usize, EncodeError> {
        self.encode_counted("item", item)
    }

    /// Adds values that are already encoded.
    pub fn append(&mut self, encoded: &[u8]) {
        self.encoded.extend(encoded);
    }

    /// Returns the bytes encoded so far.
    pub fn encoded(&self) -> &[u8] {
        self.encoded.as_slice()
    }

    /// Returns the body, if it is short and has no raw sections.
    #[inline]
    pub fn short(&self) -> Option<Short> {
        let (padded, len) = self.encoded.as_padded()?;
        if self.raw.is_empty() { Short::of_padded(padded, len) } else { None }
    }

    /// Passes to the closure whether the body has raw sections, and the body. May be called
    /// repeatedly, with an equal body, as often as a transport needs it.
    #[inline]
    pub fn with_body<R>(&self, send: impl FnOnce(bool, Body<'_>) -> R) -> R {
        if !self.raw.is_empty() {
            return self.with_raw_body(|body| match &*self.shared {
                Some(decided) if !decided.leases.is_empty() => {
                    send(true, Body::Leasing { body: &body, leases: &decided.leases })
                }
                _ => send(true, body),
            });
        }
        match self.encoded.as_padded() {
            Some((padded, len)) => send(false, Body::Small { padded, len }),
            None => send(false, Body::Large(&Encoded(self.encoded.as_slice()))),
        }
    }

    /// Returns the body as bytes, and whether it has raw sections.
    pub fn to_bytes(&self) -> (bool, Vec<u8>) {
        self.with_body(|raw, body| {
            let mut bytes = vec![0; body.len()];
            body.write_at(0, &mut bytes);
            (raw, bytes)
        })
    }

    fn with_raw_body<R>(&self, send: impl FnOnce(Body<'_>) -> R) -> R {
        let copies = self.shared.as_ref().map_or(&[][..], |decided| &decided.copies);
        let gathered = Gathered::new(&self.raw, copies, self.encoded.as_slice());
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
        self.check_section(name, bytes.len())?;
        self.raw.push(Section::Bytes(bytes));
        Ok(())
    }

    fn check_section(&self, name: &'static str, len: usize) -> Result<(), EncodeError> {
        if self.raw.len() == MAX_SECTIONS || len > MAX_SECTION_LEN {
            return Err(EncodeError { value: name, fault: EncodeFault::TooMuchRaw { len } });
        }
        Ok(())
    }

    // Always inlined, like the decoder's counterpart: for a number, the call and the result's way
    // through memory take twice as long as the work.
    #[inline(always)]
    fn encode<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.encode_counted(name, value).map(|_elements| ())
    }

    /// Encodes as [`encode`](Self::encode) does. Returns how many elements all sequences and maps
    /// have together.
    #[inline(always)]
    fn encode_counted<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<usize, EncodeError> {
        let outcome = match self.codec {
            Codec::Postcard => self.encode_postcard(value),
            #[cfg(feature = "json")]
            Codec::Json => json::encode(value, &mut self.encoded),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => messagepack::encode(value, &mut self.encoded),
        };
        outcome.map_err(|fault| EncodeError { value: name, fault })
    }

    #[inline(always)]
    fn encode_postcard<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<usize, EncodeFault> {
        let mut serializer = postcard::Serializer { output: &mut self.encoded };
        strict::serialize(value, Codec::Postcard, &mut serializer)
    }
}

/// A body in one piece: the encoded section alone, or a text.
pub struct Encoded<'a>(pub &'a [u8]);

impl Fill for Encoded<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

/// A body with raw sections, whose parts are gathered where the transport wants them.
struct Gathered<'a> {
    raw: &'a [Section<'a>],
    copies: &'a [Vec<u8>],
    sections: Sections,
    /// Where the last section ends and the encoded one begins.
    end: usize,
    encoded: &'a [u8],
}

impl<'a> Gathered<'a> {
    fn new(raw: &'a [Section<'a>], copies: &'a [Vec<u8>], encoded: &'a [u8]) -> Self {
        let mut sections = Sections::default();
        for section in raw {
            let added = match section {
                Section::Bytes(bytes) => sections.push(bytes.len()),
                Section::Copied(_, copy) => sections.push(copies[*copy].len()),
                Section::Lease(_) => sections.push_lease(),
                Section::Shared(_) => unreachable!("it was decided what is taken along"),
            };
            added.expect("count and length were checked when it was added");
        }
        Self { raw, copies, sections, end: sections.end(), encoded }
    }

    /// Returns the bytes that the body holds of a section.
    fn bytes(&self, section: &Section<'a>) -> &'a [u8] {
        match section {
            Section::Bytes(bytes) => bytes,
            Section::Copied(_, copy) => &self.copies[*copy],
            Section::Shared(_) | Section::Lease(_) => &[],
        }
    }
}

impl Fill for Gathered<'_> {
    fn len(&self) -> usize {
        self.end + self.encoded.len() + self.sections.trailer_len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        let trailer = self.sections.trailer();
        let mut rest = Rest { offset, out };
        if offset < self.end {
            let starts = self.sections.ranges().map(|range| range.start);
            starts.zip(self.raw).for_each(|(start, section)| rest.put(start, self.bytes(section)));
        }
        rest.put(self.end, self.encoded);
        rest.put(self.end + self.encoded.len(), trailer.as_slice());
    }
}

/// What is still to be written of the part of a body that begins at `offset`.
struct Rest<'o> {
    offset: usize,
    out: &'o mut [u8],
}

impl Rest<'_> {
    /// Writes what belongs here of the bytes that begin at `start` in the body.
    fn put(&mut self, start: usize, bytes: &[u8]) {
        // The padding before them is zeroed: otherwise the former content of the space would leak.
        let pad = start.saturating_sub(self.offset).min(self.out.len());
        self.next(pad).fill(0);
        let bytes = bytes.get(self.offset.saturating_sub(start)..).unwrap_or_default();
        let bytes = &bytes[..bytes.len().min(self.out.len())];
        self.next(bytes.len()).copy_from_slice(bytes);
    }

    /// Takes the next `len` bytes off.
    fn next(&mut self, len: usize) -> &mut [u8] {
        let (taken, rest) = std::mem::take(&mut self.out).split_at_mut(len);
        self.out = rest;
        self.offset += len;
        taken
    }
}
