//! A message that has arrived, opened: what is encoded in private memory, what is raw still where
//! the transport has it.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytemuck::Pod;

use super::Codec;
use super::body::Sections;
use super::decode::Decoder;
use super::error::{DecodeError, DecodeFault};
use crate::transport::{Payload, SMALL_LEN};

/// An opened message, which stays where it has arrived: to move a short one would cost more than
/// to decode it does.
pub(crate) struct OpenBody<'p> {
    codec: Codec,
    encoded: &'p [u8],
    raw: Option<Box<RawSections>>,
}

impl<'p> OpenBody<'p> {
    /// Opens a message whose tag says whether it `has_raw` sections. Of `payload` the encoded
    /// section is left, in private memory: copied there, once, unless it is there already.
    #[inline]
    pub(crate) fn new(
        payload: &'p mut Payload,
        has_raw: bool,
        codec: Codec,
    ) -> Result<Self, DecodeError> {
        let raw = open(payload, has_raw)?;
        Ok(Self { codec, encoded: private_bytes(payload).unwrap_or_default(), raw })
    }

    /// Reads the values from the first one on.
    #[inline]
    pub(crate) fn decoder(&self) -> Decoder<'_> {
        Decoder::new(self.codec, self.encoded, self.raw.as_deref())
    }
}

/// An opened message that outlives the place where it has arrived.
pub(crate) struct OwnedBody {
    codec: Codec,
    /// In private memory.
    encoded: Payload,
    raw: Option<Box<RawSections>>,
}

impl OwnedBody {
    /// As [`OpenBody::new`].
    pub(crate) fn new(
        mut payload: Payload,
        has_raw: bool,
        codec: Codec,
    ) -> Result<Self, DecodeError> {
        let raw = open(&mut payload, has_raw)?;
        Ok(Self { codec, encoded: payload, raw })
    }

    /// Reads the values from the first one on.
    pub(crate) fn decoder(&self) -> Decoder<'_> {
        let encoded = private_bytes(&self.encoded).unwrap_or_default();
        Decoder::new(self.codec, encoded, self.raw.as_deref())
    }
}

/// Takes the raw sections out of a payload, and leaves the encoded one in private memory.
#[inline]
fn open(payload: &mut Payload, has_raw: bool) -> Result<Option<Box<RawSections>>, DecodeError> {
    if has_raw {
        return open_raw(payload).map(Some);
    }
    if let Payload::Remote(_) = payload {
        *payload = copy_range(payload, 0..payload.len());
    }
    Ok(None)
}

fn open_raw(payload: &mut Payload) -> Result<Box<RawSections>, DecodeError> {
    let whole = mem::take(payload);
    let len = whole.len();
    let (sections, trailer) = Sections::read(len, |offset, out| whole.copy_to(offset, out))
        .ok_or(DecodeError::Trailer { len })?;
    *payload = copy_range(&whole, sections.end()..trailer);
    Ok(Box::new(RawSections::new(sections, whole)))
}

/// The bytes of a payload that the peer cannot reach.
#[inline]
fn private_bytes(payload: &Payload) -> Option<&[u8]> {
    match payload {
        Payload::Small { bytes, len } => bytes.get(..usize::from(*len)),
        Payload::Whole(bytes) => Some(bytes),
        Payload::Remote(_) => None,
    }
}

/// A private copy of a range of bytes.
fn copy_range(payload: &Payload, range: Range<usize>) -> Payload {
    let mut small = [0; SMALL_LEN];
    match (small.get_mut(..range.len()), u8::try_from(range.len())) {
        (Some(out), Ok(len)) => {
            payload.copy_to(range.start, out);
            Payload::Small { bytes: small, len }
        }
        _ => {
            let mut whole = vec![0; range.len()];
            payload.copy_to(range.start, &mut whole);
            Payload::Whole(whole)
        }
    }
}

/// The raw sections of a message. They are copied out when they are taken; after the last one
/// the message's space goes back to the transport, while the handler still runs.
pub(super) struct RawSections {
    sections: Sections,
    /// Until the last section has been taken.
    payload: Mutex<Option<Payload>>,
    /// The payload, once a section has been borrowed from it.
    kept: OnceLock<Payload>,
}

impl RawSections {
    fn new(sections: Sections, payload: Payload) -> Self {
        Self { sections, payload: Mutex::new(Some(payload)), kept: OnceLock::new() }
    }

    pub(super) fn count(&self) -> usize {
        self.sections.count()
    }

    /// The elements of a section, moved or copied out. Sections are taken in order, each once.
    pub(super) fn take<T: Pod>(&self, index: usize) -> Result<Vec<T>, DecodeFault> {
        let range = self.range::<T>(index)?;
        if let Some(kept) = self.kept.get() {
            return Ok(copy_elements(kept, range.start, range.len()));
        }
        let mut held = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        if index + 1 < self.count() {
            let payload = held.as_ref().ok_or(DecodeFault::NoSection)?;
            return Ok(copy_elements(payload, range.start, range.len()));
        }
        match held.take().ok_or(DecodeFault::NoSection)? {
            Payload::Whole(mut bytes) if range.start == 0 => {
                bytes.truncate(range.end);
                Ok(bytemuck::allocation::try_cast_vec(bytes).unwrap_or_else(|(_, bytes)| {
                    copy_elements(&Payload::Whole(bytes), 0, range.len())
                }))
            }
            payload => Ok(copy_elements(&payload, range.start, range.len())),
        }
    }

    /// The elements of a section, borrowed if they lie in private memory that is aligned for
    /// them, else copied out. Sections are taken in order, each once.
    pub(super) fn view<T: Pod>(&self, index: usize) -> Result<Cow<'_, [T]>, DecodeFault> {
        if self.kept.get().is_none() {
            let mut held = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
            if held.as_ref().is_some_and(|payload| private_bytes(payload).is_some()) {
                // Set by this very decoder or not at all: nothing is lost.
                let _ = held.take().map(|payload| self.kept.set(payload));
            }
        }
        let Some(kept) = self.kept.get() else {
            return self.take(index).map(Cow::Owned);
        };
        let range = self.range::<T>(index)?;
        let private = private_bytes(kept).and_then(|bytes| bytes.get(range.clone()));
        match private.map(bytemuck::try_cast_slice) {
            Some(Ok(elements)) => Ok(Cow::Borrowed(elements)),
            _ => Ok(Cow::Owned(copy_elements(kept, range.start, range.len()))),
        }
    }

    /// Where a section lies, if it is a whole number of elements.
    fn range<T>(&self, index: usize) -> Result<Range<usize>, DecodeFault> {
        let range = self.sections.ranges().nth(index).ok_or(DecodeFault::NoSection)?;
        let element = size_of::<T>();
        match range.len().checked_rem(element) {
            Some(0) => Ok(range),
            _ => Err(DecodeFault::Ragged { len: range.len(), element }),
        }
    }
}

/// Copies `len` bytes from `offset` on straight to where their elements will stay.
fn copy_elements<T: Pod>(payload: &Payload, offset: usize, len: usize) -> Vec<T> {
    let mut elements = bytemuck::zeroed_vec(len / size_of::<T>());
    payload.copy_to(offset, bytemuck::cast_slice_mut(&mut elements));
    elements
}
