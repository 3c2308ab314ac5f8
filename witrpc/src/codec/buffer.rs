//! A byte buffer that does not allocate for a message that fits beside its head.

use std::io;

use witrpc_transport::SMALL_LEN;

/// A buffer that stays on the stack up to [`SMALL_LEN`] bytes, and moves to the heap beyond that.
#[derive(Debug)]
pub struct SmallBuf {
    inline: Inline,
    /// The number of inline bytes in use; [`ON_HEAP`] when they are on the heap.
    len: usize,
    heap: Vec<u8>,
}

/// The bytes on the stack, aligned so that a move copies the bytes in the pieces in which they were
/// written. Loads that straddle earlier stores would wait until those reach the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct Inline([u8; SMALL_LEN]);

const ON_HEAP: usize = SMALL_LEN + 1;

impl SmallBuf {
    #[inline]
    pub fn new() -> Self {
        Self { inline: Inline([0; SMALL_LEN]), len: 0, heap: Vec::new() }
    }

    /// Returns the bytes, padded with zeros, and their number, while they are on the stack.
    #[inline]
    pub fn as_padded(&self) -> Option<(&[u8; SMALL_LEN], usize)> {
        (self.len <= SMALL_LEN).then_some((&self.inline.0, self.len))
    }

    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.inline.0.get(..self.len).unwrap_or(&self.heap)
    }

    #[inline]
    pub fn push(&mut self, byte: u8) {
        match self.inline.0.get_mut(self.len) {
            Some(slot) => {
                *slot = byte;
                self.len += 1;
            }
            None => self.extend_heap(&[byte]),
        }
    }

    #[inline]
    pub fn extend(&mut self, data: &[u8]) {
        match self.inline.0.get_mut(self.len..self.len + data.len()) {
            Some(room) => {
                room.copy_from_slice(data);
                self.len += data.len();
            }
            None => self.extend_heap(data),
        }
    }

    /// Appends bytes one by one. An encoded number was just written in this way, and wider loads
    /// would wait for these stores.
    #[inline]
    fn extend_short(&mut self, data: &[u8]) {
        if self.len + data.len() > SMALL_LEN {
            return self.extend_heap(data);
        }
        let mut end = self.len;
        for byte in data {
            self.inline.0[end] = *byte;
            end += 1;
        }
        self.len = end;
    }

    #[inline]
    fn extend_heap(&mut self, data: &[u8]) {
        if self.len != ON_HEAP {
            self.move_to_heap();
        }
        self.heap.extend_from_slice(data);
    }

    #[cold]
    fn move_to_heap(&mut self) {
        self.heap.reserve(8 * SMALL_LEN);
        self.heap.extend_from_slice(&self.inline.0[..self.len]);
        self.len = ON_HEAP;
    }
}

/// The longest encoding of a 64-bit number.
const VARINT_LEN: usize = 10;

impl postcard::ser_flavors::Flavor for &mut SmallBuf {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        if data.len() <= VARINT_LEN {
            self.extend_short(data);
        } else {
            self.extend(data);
        }
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
        assert_eq!(buffer.len, SMALL_LEN);
        assert_eq!(buffer.heap.capacity(), 0);
        assert_eq!(buffer.as_slice(), [7; SMALL_LEN]);
    }

    #[test]
    fn the_byte_too_many_moves_all_to_the_heap() {
        let mut buffer = SmallBuf::new();
        buffer.extend(&[7; SMALL_LEN]);
        buffer.push(8);
        buffer.extend(&[9; 3]);
        assert_eq!(buffer.len, ON_HEAP);
        let mut expected = vec![7; SMALL_LEN];
        expected.extend([8, 9, 9, 9]);
        assert_eq!(buffer.as_slice(), expected);
    }
}
