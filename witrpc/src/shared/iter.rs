//! Reading shared elements one after the other, or in pieces.

use super::Shared;
use crate::__private::v1::RawElement;

/// So many bytes are copied at a time: they stay in the nearest cache until they have been looked at.
const PIECE_BYTES: usize = 8 << 10;

/// The elements of a [`Shared`] in pieces: see [`Shared::chunks`].
#[derive(Debug)]
pub struct Chunks<'a, T: RawElement> {
    shared: &'a Shared<[T]>,
    /// The elements themselves, if they may be looked at.
    in_place: Option<&'a [T]>,
    len: usize,
    start: usize,
    buffer: Vec<T>,
}

impl<'a, T: RawElement> Chunks<'a, T> {
    pub(super) fn new(shared: &'a Shared<[T]>, len: usize) -> Self {
        assert!(len > 0, "a piece has at least one element");
        Self { shared, in_place: shared.as_slice(), len, start: 0, buffer: Vec::new() }
    }

    /// The next piece; `None` after the last.
    #[expect(clippy::should_implement_trait, reason = "a piece lives until the next is asked for")]
    pub fn next(&mut self) -> Option<&[T]> {
        let start = self.start;
        let len = self.len.min(self.shared.len() - start);
        if len == 0 {
            return None;
        }
        self.start += len;
        if let Some(elements) = self.in_place {
            return Some(&elements[start..start + len]);
        }
        if self.buffer.is_empty() {
            self.buffer = bytemuck::zeroed_vec(len);
        }
        let piece = &mut self.buffer[..len];
        self.shared.copy_range_to(start, piece);
        Some(piece)
    }
}

/// Copies of the elements of a [`Shared`]: see [`Shared::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: RawElement> {
    shared: &'a Shared<[T]>,
    /// Copies of those that come next.
    piece: Vec<T>,
    /// Where in the piece the next one is.
    next: usize,
    /// How many elements have been copied to a piece.
    copied: usize,
}

impl<'a, T: RawElement> Iter<'a, T> {
    pub(super) fn new(shared: &'a Shared<[T]>) -> Self {
        Self { shared, piece: Vec::new(), next: 0, copied: 0 }
    }

    /// Copies the next piece; `false` if there is none. The one before has been used up.
    fn refill(&mut self) -> bool {
        let most = (PIECE_BYTES / size_of::<T>()).max(1);
        let len = most.min(self.shared.len() - self.copied);
        if self.piece.is_empty() {
            self.piece = bytemuck::zeroed_vec(len);
        }
        self.piece.truncate(len);
        self.shared.copy_range_to(self.copied, &mut self.piece);
        self.copied += len;
        self.next = 0;
        len > 0
    }
}

impl<T: RawElement> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.next == self.piece.len() && !self.refill() {
            return None;
        }
        self.next += 1;
        Some(self.piece[self.next - 1])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.shared.len() - self.copied + self.piece.len() - self.next;
        (left, Some(left))
    }

    /// Piece by piece, so that the loop over each can be unrolled.
    #[inline]
    fn fold<B, F: FnMut(B, T) -> B>(mut self, start: B, mut add: F) -> B {
        let mut sum = start;
        loop {
            sum = self.piece[self.next..].iter().fold(sum, |sum, element| add(sum, *element));
            if !self.refill() {
                return sum;
            }
        }
    }
}

impl<T: RawElement> ExactSizeIterator for Iter<'_, T> {}
