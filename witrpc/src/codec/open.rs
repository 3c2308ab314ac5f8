//! An opened message: its encoded part is in private memory, its raw parts are where the transport has
//! them.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use bytemuck::Pod;
use witrpc_rt::lock;
use witrpc_transport::{Payload, SMALL_LEN, SharedBytes};

use crate::rt::Rare;

use super::Codec;
use super::body::Sections;
use super::decode::Decoder;
use super::error::{DecodeError, DecodeFault};
use super::shareable::{Elements, Shareable};

/// An opened message. It stays where it arrived, because moving a short message costs more than
/// decoding it.
pub struct OpenBody<'p> {
    codec: Codec,
    encoded: &'p [u8],
    raw: Rare<RawSections>,
}

impl<'p> OpenBody<'p> {
    /// Opens a short message without raw sections.
    #[inline]
    pub fn short(bytes: &'p [u8], codec: Codec) -> Self {
        Self { codec, encoded: bytes, raw: Rare::default() }
    }

    /// Opens a message whose tag says whether it `has_raw` sections. Leaves the encoded section in
    /// `payload`, in private memory: it is copied there once, unless it is there already.
    #[inline]
    pub fn new(payload: &'p mut Payload, has_raw: bool, codec: Codec) -> Result<Self, DecodeError> {
        // Most messages are plain, and skip everything below.
        let is_plain = !has_raw && matches!(payload, Payload::Small { .. });
        let raw = Rare::new(if is_plain { None } else { open(payload, has_raw)? });
        Ok(Self { codec, encoded: private_bytes(payload).unwrap_or_default(), raw })
    }

    /// Returns a decoder at the first value.
    #[inline]
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder::new(self.codec, self.encoded, self.raw.as_deref())
    }
}

/// An opened message that outlives the place where it arrived.
pub struct OwnedBody {
    codec: Codec,
    /// The encoded section, in private memory.
    encoded: Payload,
    raw: Option<Box<RawSections>>,
}

impl OwnedBody {
    /// Opens a message as [`OpenBody::new`] does.
    pub fn new(mut payload: Payload, has_raw: bool, codec: Codec) -> Result<Self, DecodeError> {
        let raw = open(&mut payload, has_raw)?;
        Ok(Self { codec, encoded: payload, raw })
    }

    /// Returns a decoder at the first value.
    pub fn decoder(&self) -> Decoder<'_> {
        let encoded = private_bytes(&self.encoded).unwrap_or_default();
        Decoder::new(self.codec, encoded, self.raw.as_deref())
    }
}

/// Takes the raw sections out of a payload, and leaves the encoded one in private memory.
fn open(payload: &mut Payload, has_raw: bool) -> Result<Option<Box<RawSections>>, DecodeError> {
    if has_raw {
        return open_raw(payload).map(Some);
    }
    match payload {
        Payload::Small { .. } | Payload::Whole(_) => {}
        Payload::Leasing(leasing) => {
            return Err(DecodeError::Leases { named: 0, taken: leasing.leases.len() });
        }
        _ => *payload = copy_range(payload, 0..payload.len()),
    }
    Ok(None)
}

fn open_raw(payload: &mut Payload) -> Result<Box<RawSections>, DecodeError> {
    let (whole, leases) = match mem::take(payload) {
        Payload::Leasing(leasing) => (leasing.payload, leasing.leases),
        whole => (whole, Vec::new()),
    };
    let len = whole.len();
    let (sections, trailer) = Sections::read(len, |offset, out| whole.copy_to(offset, out))
        .ok_or(DecodeError::Trailer { len })?;
    if sections.leases() != leases.len() {
        return Err(DecodeError::Leases { named: sections.leases(), taken: leases.len() });
    }
    *payload = copy_range(&whole, sections.end()..trailer);
    Ok(Box::new(RawSections::new(sections, whole, leases)))
}

/// Returns the bytes of a payload in private memory, which the peer cannot reach.
#[inline]
fn private_bytes(payload: &Payload) -> Option<&[u8]> {
    match payload {
        Payload::Small { bytes, len } => bytes.get(..usize::from(*len)),
        Payload::Whole(bytes) => Some(bytes),
        _ => None,
    }
}

/// Returns the bytes of a payload that cannot change: private ones, and those of a trusted peer.
fn steady_bytes(payload: &Payload) -> Option<&[u8]> {
    match payload {
        Payload::Remote(remote) => remote.as_slice(),
        private => private_bytes(private),
    }
}

/// Returns a private copy of a range of bytes.
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

/// The raw sections of a message, including its leases. They are copied out when they are taken.
/// After the last one, the message's space returns to the transport, while the handler still runs.
pub struct RawSections {
    sections: Sections,
    /// The payload, until its last section has been taken.
    payload: Mutex<Option<Payload>>,
    /// The payload, once a section has been borrowed from it.
    kept: OnceLock<Payload>,
    /// The leases, each until it has been taken.
    leases: Mutex<Vec<Option<Arc<dyn SharedBytes>>>>,
    /// A cell for each lease, once a lease has been borrowed from.
    kept_leases: OnceLock<Vec<OnceLock<Arc<dyn SharedBytes>>>>,
}

impl RawSections {
    fn new(sections: Sections, payload: Payload, leases: Vec<Arc<dyn SharedBytes>>) -> Self {
        let leases = leases.into_iter().map(Some).collect();
        Self {
            sections,
            payload: Mutex::new(Some(payload)),
            kept: OnceLock::new(),
            leases: Mutex::new(leases),
            kept_leases: OnceLock::new(),
        }
    }

    pub fn count(&self) -> usize {
        self.sections.count()
    }

    /// Takes the elements of a section, moved or copied out. Sections must be taken in order, each
    /// once.
    pub fn take<T: Pod>(&self, index: usize) -> Result<Vec<T>, DecodeFault> {
        if let Some(lease) = self.lease(index) {
            return whole_elements::<T>(lease.len()).map(|()| copy_lease(&*lease));
        }
        let range = self.range::<T>(index)?;
        if let Some(kept) = self.kept.get() {
            return Ok(copy_section(kept, &range));
        }
        let mut held = lock(&self.payload);
        if index + 1 < self.count() {
            let payload = held.as_ref().ok_or(DecodeFault::NoSection)?;
            return Ok(copy_section(payload, &range));
        }
        match held.take().ok_or(DecodeFault::NoSection)? {
            Payload::Whole(mut bytes) if range.start == 0 => {
                bytes.truncate(range.end);
                Ok(bytemuck::allocation::try_cast_vec(bytes)
                    .unwrap_or_else(|(_, bytes)| copy_section(&Payload::Whole(bytes), &range)))
            }
            payload => Ok(copy_section(&payload, &range)),
        }
    }

    /// Takes the bytes of a section for sharing: the message's lease, or a copy. Their length must
    /// fit the form `F`. Sections must be taken in order, each once.
    pub fn share<F: ?Sized + Shareable>(
        &self,
        index: usize,
    ) -> Result<Arc<dyn SharedBytes>, DecodeFault> {
        let bytes = match self.lease(index) {
            Some(lease) => lease,
            None => Arc::new(Elements(self.take::<F::Element>(index)?)),
        };
        let len = bytes.len();
        let element = size_of::<F::Element>();
        if F::fits(len) {
            Ok(bytes)
        } else if len.is_multiple_of(element) {
            Err(DecodeFault::NotOne { len, element })
        } else {
            Err(DecodeFault::Ragged { len, element })
        }
    }

    /// Takes the lease of a section that is one. After the last section, the message's space
    /// returns to the transport.
    fn lease(&self, index: usize) -> Option<Arc<dyn SharedBytes>> {
        let number = self.sections.lease(index)?;
        if index + 1 == self.count() {
            drop(lock(&self.payload).take());
        }
        lock(&self.leases).get_mut(number)?.take()
    }

    /// Takes the elements of a section. They are borrowed if their memory cannot change and is
    /// aligned for them, otherwise copied out. Sections must be taken in order, each once.
    pub fn view<T: Pod>(&self, index: usize) -> Result<Cow<'_, [T]>, DecodeFault> {
        if let Some(lease) = self.lease(index) {
            return self.view_lease(index, lease);
        }
        if self.kept.get().is_none() {
            let mut held = lock(&self.payload);
            if held.as_ref().is_some_and(|payload| steady_bytes(payload).is_some()) {
                // Only this decoder sets the cell, so setting it cannot fail.
                let _ = held.take().map(|payload| self.kept.set(payload));
            }
        }
        let Some(kept) = self.kept.get() else {
            return self.take(index).map(Cow::Owned);
        };
        let range = self.range::<T>(index)?;
        let steady = steady_bytes(kept).and_then(|bytes| bytes.get(range.clone()));
        match steady.map(bytemuck::try_cast_slice) {
            Some(Ok(elements)) => Ok(Cow::Borrowed(elements)),
            _ => Ok(Cow::Owned(copy_section(kept, &range))),
        }
    }

    /// Takes elements as [`view`](Self::view) does, from a section that is a lease.
    fn view_lease<T: Pod>(
        &self,
        index: usize,
        lease: Arc<dyn SharedBytes>,
    ) -> Result<Cow<'_, [T]>, DecodeFault> {
        whole_elements::<T>(lease.len())?;
        let (Some(number), Some(_)) = (self.sections.lease(index), lease.as_slice()) else {
            return Ok(Cow::Owned(copy_lease(&*lease)));
        };
        let places = || (0..self.sections.leases()).map(|_| OnceLock::new()).collect();
        let kept = self.kept_leases.get_or_init(places)[number].get_or_init(|| lease);
        match kept.as_slice().map(bytemuck::try_cast_slice) {
            Some(Ok(elements)) => Ok(Cow::Borrowed(elements)),
            _ => Ok(Cow::Owned(copy_lease(&**kept))),
        }
    }

    /// Returns the range of a section, if it is a whole number of elements.
    fn range<T>(&self, index: usize) -> Result<Range<usize>, DecodeFault> {
        let range = self.sections.ranges().nth(index).ok_or(DecodeFault::NoSection)?;
        whole_elements::<T>(range.len()).map(|()| range)
    }
}

/// Checks that `len` bytes are a whole number of elements.
fn whole_elements<T>(len: usize) -> Result<(), DecodeFault> {
    let element = size_of::<T>();
    match len.checked_rem(element) {
        Some(0) => Ok(()),
        _ => Err(DecodeFault::Ragged { len, element }),
    }
}

fn copy_lease<T: Pod>(lease: &dyn SharedBytes) -> Vec<T> {
    copy_elements(|out| lease.copy_to(0, out), lease.len())
}

fn copy_section<T: Pod>(payload: &Payload, range: &Range<usize>) -> Vec<T> {
    copy_elements(|out| payload.copy_to(range.start, out), range.len())
}

/// Returns `len` bytes of elements, which `copy` writes directly to their final place.
fn copy_elements<T: Pod>(copy: impl FnOnce(&mut [u8]), len: usize) -> Vec<T> {
    let mut elements = bytemuck::zeroed_vec(len / size_of::<T>());
    copy(bytemuck::cast_slice_mut(&mut elements));
    elements
}
