//! The layout of a body's sections.

use std::ops::Range;

/// The alignment of raw sections within a body, in bytes.
pub const SECTION_ALIGN: usize = 64;

/// The longest raw section in bytes.
pub const MAX_SECTION_LEN: usize = LEASED as usize - 1;

/// The most raw sections of a body, which equals the most arguments of a method.
pub const MAX_SECTIONS: usize = 16;

/// The length that marks a section as a lease, whose bytes the body does not hold.
const LEASED: u32 = u32::MAX;

/// The size of a section's length in the trailer, in bytes.
const LEN_BYTES: usize = 4;

/// The lengths of a body's raw sections, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    lens: [u32; MAX_SECTIONS],
    count: usize,
}

impl Sections {
    /// Adds a section. Returns `None` if there are [`MAX_SECTIONS`] already, or if it is longer
    /// than [`MAX_SECTION_LEN`].
    pub fn push(&mut self, len: usize) -> Option<()> {
        let len = u32::try_from(len).ok().filter(|len| *len != LEASED)?;
        self.push_raw(len)
    }

    /// Adds a section that is the message's next lease. Returns `None` if there are
    /// [`MAX_SECTIONS`] already.
    pub fn push_lease(&mut self) -> Option<()> {
        self.push_raw(LEASED)
    }

    fn push_raw(&mut self, len: u32) -> Option<()> {
        *self.lens.get_mut(self.count)? = len;
        self.count += 1;
        Some(())
    }

    /// Returns which of the message's leases this section is, if it is one.
    pub fn lease(&self, index: usize) -> Option<usize> {
        let (before, rest) = self.lens[..self.count].split_at_checked(index)?;
        (*rest.first()? == LEASED).then(|| before.iter().filter(|len| **len == LEASED).count())
    }

    /// Returns how many of the sections are leases.
    pub fn leases(&self) -> usize {
        self.lens[..self.count].iter().filter(|len| **len == LEASED).count()
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the byte ranges of the sections, in order.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut end = 0_usize;
        self.lens[..self.count].iter().map(move |len| {
            // At most 16 × (4 GiB + 64 bytes): no overflow in 64 bits.
            let start = end.next_multiple_of(SECTION_ALIGN);
            end = start + if *len == LEASED { 0 } else { *len as usize };
            start..end
        })
    }

    /// Returns the end of the last section, where the encoded section starts.
    pub fn end(&self) -> usize {
        self.ranges().last().map_or(0, |last| last.end)
    }

    /// Returns the length of the trailer.
    pub fn trailer_len(&self) -> usize {
        trailer_len(self.count)
    }

    /// Returns the trailer: the bytes at the end of the body.
    pub fn trailer(&self) -> Trailer {
        let mut trailer = Trailer { bytes: [0; MAX_TRAILER], len: self.trailer_len() };
        for (slot, len) in trailer.bytes.chunks_exact_mut(LEN_BYTES).zip(&self.lens[..self.count]) {
            slot.copy_from_slice(&len.to_le_bytes());
        }
        // At most MAX_SECTIONS.
        trailer.bytes[trailer.len - 1] = self.count as u8;
        trailer
    }

    /// Reads the trailer of a body of `body_len` bytes through `copy(offset, out)`, which reads
    /// each byte once. Returns the sections and the start of the trailer; `None` if its content
    /// does not fit the body.
    pub fn read(body_len: usize, mut copy: impl FnMut(usize, &mut [u8])) -> Option<(Self, usize)> {
        let mut count = [0];
        copy(body_len.checked_sub(1)?, &mut count);
        let count = usize::from(count[0]);
        if count == 0 || count > MAX_SECTIONS {
            return None;
        }
        let start = body_len.checked_sub(trailer_len(count))?;
        let mut bytes = [0; MAX_SECTIONS * LEN_BYTES];
        copy(start, &mut bytes[..count * LEN_BYTES]);

        let mut sections = Self { lens: [0; MAX_SECTIONS], count };
        for (len, bytes) in sections.lens[..count].iter_mut().zip(bytes.chunks_exact(LEN_BYTES)) {
            *len = bytes.iter().rev().fold(0, |len, byte| len << 8 | u32::from(*byte));
        }
        (sections.end() <= start).then_some((sections, start))
    }
}

const MAX_TRAILER: usize = trailer_len(MAX_SECTIONS);

const fn trailer_len(count: usize) -> usize {
    count * LEN_BYTES + 1
}

/// Returns the length of a body that is one raw section of `len` bytes and nothing else.
pub fn len_of_one_raw(len: usize) -> usize {
    len.saturating_add(trailer_len(1))
}

// The offsets are computed without overflow checks above.
const _: () = assert!(usize::BITS >= 64, "witrpc needs 64-bit addresses");

/// The trailer of a body: the lengths and their count.
pub struct Trailer {
    bytes: [u8; MAX_TRAILER],
    len: usize,
}

impl Trailer {
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(lens: &[usize]) -> Sections {
        let mut sections = Sections::default();
        for len in lens {
            sections.push(*len).unwrap();
        }
        sections
    }

    fn read(body: &[u8]) -> Option<(Sections, usize)> {
        Sections::read(body.len(), |offset, out| {
            out.copy_from_slice(&body[offset..offset + out.len()]);
        })
    }

    #[test]
    fn sections_start_at_multiples_of_their_alignment() {
        let ranges: Vec<_> = sections(&[1, 64, 65, 0, 3]).ranges().collect();
        assert_eq!(ranges, [0..1, 64..128, 128..193, 256..256, 256..259]);
        assert_eq!(sections(&[]).end(), 0);
    }

    #[test]
    fn a_section_alone_has_a_trailer_behind_it() {
        let alone = sections(&[300]);
        assert_eq!(len_of_one_raw(300), alone.end() + alone.trailer().as_slice().len());
        assert_eq!(len_of_one_raw(usize::MAX), usize::MAX);
    }

    #[test]
    fn a_trailer_survives_the_wire() {
        let sent = sections(&[3, 0, 300]);
        let mut body = vec![0xAA; sent.end() + 5];
        body.extend_from_slice(sent.trailer().as_slice());
        assert_eq!(read(&body), Some((sent, sent.end() + 5)));
    }

    #[test]
    fn a_trailer_that_does_not_fit_is_refused() {
        for body in [
            &[][..],
            &[0],
            &[1],
            &[0, 0, 0, 1],
            &[1, 0, 0, 0, 1],
            &[254, 255, 255, 255, 1],
            &[17; 200],
            &[0, 0, 0, 0, 1, 0, 0, 0, 2],
        ] {
            assert_eq!(read(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_lease_takes_no_bytes_and_is_counted() {
        let mut sent = sections(&[3]);
        sent.push_lease().unwrap();
        sent.push(5).unwrap();
        sent.push_lease().unwrap();
        let ranges: Vec<_> = sent.ranges().collect();
        assert_eq!(ranges, [0..3, 64..64, 64..69, 128..128]);
        let leases: Vec<_> = (0..5).map(|index| sent.lease(index)).collect();
        assert_eq!(leases, [None, Some(0), None, Some(1), None]);
        let mut body = vec![0xAA; sent.end()];
        body.extend_from_slice(sent.trailer().as_slice());
        assert_eq!(read(&body), Some((sent, sent.end())));
        assert_eq!(sent.leases(), 2);
    }

    #[test]
    fn there_is_room_for_sixteen_sections() {
        let mut all = sections(&[1; MAX_SECTIONS]);
        assert_eq!(all.push(1), None);
        assert_eq!(Sections::default().push(MAX_SECTION_LEN + 1), None);
        assert!(Sections::default().push(MAX_SECTION_LEN).is_some());
    }
}
