//! A byte buffer that needs no allocation for a message that fits beside its head.

use std::io;

use crate::transport::SMALL_LEN;

/// Bytes that stay on the stack up to [`SMALL_LEN`] of them and move to the heap once there are
/// more.
#[derive(Debug)]
pub(crate) enum SmallBuf {
    /// The first `len` of `bytes`.
    Inline { bytes: [u8; SMALL_LEN], len: u8 },
    /// More of them, or bytes that came on the heap.
    Heap(Vec<u8>),
}

impl SmallBuf {
    #[inline]
    pub(crate) fn new() -> Self {
        Self::Inline { bytes: [0; SMALL_LEN], len: 0 }
    }

    /// `len` zeros, to be overwritten.
    pub(crate) fn zeroed(len: usize) -> Self {
        match u8::try_from(len) {
            Ok(short) if len <= SMALL_LEN => Self::Inline { bytes: [0; SMALL_LEN], len: short },
            _ => Self::Heap(vec![0; len]),
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, len } => &bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Self::Inline { bytes, len } => &mut bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    #[inline]
    pub(crate) fn extend(&mut self, data: &[u8]) {
        if let Self::Inline { bytes, len } = self {
            let start = usize::from(*len);
            if let Some(room) = bytes.get_mut(start..start + data.len()) {
                room.copy_from_slice(data);
                // `room` ends within SMALL_LEN, which a u8 holds.
                *len = (start + data.len()) as u8;
                return;
            }
        }
        self.extend_heap(data);
    }

    #[cold]
    fn spill(&mut self, more: usize) -> &mut Vec<u8> {
        if let Self::Inline { bytes, len } = self {
            let held = &bytes[..usize::from(*len)];
            let mut heap = Vec::with_capacity((held.len() + more).max(4 * SMALL_LEN));
            heap.extend_from_slice(held);
            *self = Self::Heap(heap);
        }
        match self {
            Self::Heap(bytes) => bytes,
            Self::Inline { .. } => unreachable!("moved to the heap just now"),
        }
    }

    fn extend_heap(&mut self, data: &[u8]) {
        match self {
            Self::Heap(bytes) => bytes.extend_from_slice(data),
            Self::Inline { .. } => self.spill(data.len()).extend_from_slice(data),
        }
    }
}

impl postcard::ser_flavors::Flavor for &mut SmallBuf {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.extend(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl io::Write for SmallBuf {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.extend(data);
        Ok(data.len())
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.extend(data);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_inline() {
        let mut buffer = SmallBuf::new();
        buffer.extend(&[7; SMALL_LEN]);
        assert!(matches!(buffer, SmallBuf::Inline { .. }));
        assert_eq!(buffer.as_slice(), [7; SMALL_LEN]);
    }

    #[test]
    fn the_byte_too_many_moves_all_to_the_heap() {
        let mut buffer = SmallBuf::new();
        buffer.extend(&[7; SMALL_LEN]);
        buffer.push(8);
        buffer.extend(&[9; 3]);
        assert!(matches!(buffer, SmallBuf::Heap(_)));
        let mut expected = vec![7; SMALL_LEN];
        expected.extend([8, 9, 9, 9]);
        assert_eq!(buffer.as_slice(), expected);
    }
}
