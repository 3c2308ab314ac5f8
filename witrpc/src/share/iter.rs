//! Iterators over shared elements, one at a time or in pieces.

use crate::codec::RawElement;

use super::Shared;

/// The number of bytes to copy at a time. They stay in the nearest cache until they have been used.
const COPY_BYTES: usize = 8 << 10;

/// Elements that are read in order: in place if this side may refer to them, otherwise in copies of
/// many elements at a time.
#[derive(Debug)]
struct Ahead<'a, T: RawElement> {
    shared: &'a Shared<[T]>,
    /// All elements, if this side may refer to them.
    in_place: Option<&'a [T]>,
    /// Copies of the last `copy.len()` elements that have been fetched.
    copy: Vec<T>,
    /// How many elements to copy at a time.
    most: usize,
    /// How many elements have been fetched: copied so far, or all if they are read in place.
    fetched: usize,
    /// How many of the elements fetched last have been used.
    used: usize,
}

impl<'a, T: RawElement> Ahead<'a, T> {
    /// Creates a reader whose elements are used `len` at a time.
    fn new(shared: &'a Shared<[T]>, len: usize) -> Self {
        let in_place = shared.as_slice();
        let fetched = in_place.map_or(0, <[T]>::len);
        let most = (COPY_BYTES / size_of::<T>() / len).max(1).saturating_mul(len);
        Self { shared, in_place, copy: Vec::new(), most, fetched, used: 0 }
    }

    /// Returns the elements that were fetched last, including those already used.
    #[inline]
    fn latest(&self) -> &[T] {
        self.in_place.unwrap_or(&self.copy)
    }

    /// Returns how many elements have not been used.
    fn left(&self) -> usize {
        self.latest().len() - self.used + self.shared.len() - self.fetched
    }

    /// Fetches the next elements, once the previous ones have been used up. Returns `false` at the
    /// end.
    #[cold]
    fn fetch(&mut self) -> bool {
        let len = self.most.min(self.shared.len() - self.fetched);
        if len == 0 {
            return false;
        }
        if self.copy.is_empty() {
            self.copy = bytemuck::zeroed_vec(len);
        }
        self.copy.truncate(len);
        self.shared.copy_range_to(self.fetched, &mut self.copy);
        self.fetched += len;
        self.used = 0;
        true
    }
}

/// An iterator over the pieces of a [`Shared`]: see [`Shared::chunks`].
#[derive(Debug)]
pub struct Chunks<'a, T: RawElement> {
    ahead: Ahead<'a, T>,
    len: usize,
}

impl<'a, T: RawElement> Chunks<'a, T> {
    pub(crate) fn new(shared: &'a Shared<[T]>, len: usize) -> Self {
        assert!(len > 0, "a piece has at least one element");
        Self { ahead: Ahead::new(shared, len), len }
    }

    /// Returns the next piece; `None` after the last.
    #[expect(clippy::should_implement_trait, reason = "a piece lives until the next is asked for")]
    #[inline]
    pub fn next(&mut self) -> Option<&[T]> {
        if self.ahead.used == self.ahead.latest().len() && !self.ahead.fetch() {
            return None;
        }
        // A whole number of pieces has been fetched, unless these are the last.
        let start = self.ahead.used;
        let end = self.ahead.latest().len().min(start.saturating_add(self.len));
        self.ahead.used = end;
        Some(&self.ahead.latest()[start..end])
    }
}

/// An iterator over copies of the elements of a [`Shared`]: see [`Shared::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: RawElement> {
    ahead: Ahead<'a, T>,
}

impl<'a, T: RawElement> Iter<'a, T> {
    pub(crate) fn new(shared: &'a Shared<[T]>) -> Self {
        Self { ahead: Ahead::new(shared, 1) }
    }
}

impl<T: RawElement> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        loop {
            if let Some(element) = self.ahead.latest().get(self.ahead.used).copied() {
                self.ahead.used += 1;
                return Some(element);
            }
            if !self.ahead.fetch() {
                return None;
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ahead.left();
        (left, Some(left))
    }

    /// Folds over the elements that are fetched at a time, so that the compiler can unroll the inner
    /// loop.
    #[inline]
    fn fold<B, F: FnMut(B, T) -> B>(mut self, start: B, mut add: F) -> B {
        let mut sum = start;
        loop {
            let rest = &self.ahead.latest()[self.ahead.used..];
            sum = rest.iter().fold(sum, |sum, element| add(sum, *element));
            if !self.ahead.fetch() {
                return sum;
            }
        }
    }
}

impl<T: RawElement> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use witrpc_transport::SharedBytes;

    use super::*;

    /// Bytes that can only be copied, like those of another process.
    struct Remote(Vec<u8>);

    impl SharedBytes for Remote {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn copy_to(&self, offset: usize, out: &mut [u8]) {
            out.copy_from_slice(&self.0[offset..offset + out.len()]);
        }

        fn as_slice(&self) -> Option<&[u8]> {
            None
        }
    }

    /// Returns `len` different numbers, in both ways in which they can be shared.
    fn numbers(len: usize) -> (Vec<u16>, [Shared<[u16]>; 2]) {
        let numbers: Vec<u16> = (0..).take(len).collect();
        let remote = Arc::new(Remote(bytemuck::cast_slice(&numbers).to_vec()));
        (numbers.clone(), [Shared::from_vec(numbers), Shared::new(remote)])
    }

    proptest! {
        #[test]
        fn pieces_are_those_of_a_slice(len in 0..20_000_usize, piece in 1..9_000_usize) {
            let (expected, both) = numbers(len);
            for shared in both {
                let mut chunks = shared.chunks(piece);
                for expected in expected.chunks(piece) {
                    prop_assert_eq!(chunks.next(), Some(expected));
                }
                prop_assert_eq!(chunks.next(), None);
                prop_assert_eq!(chunks.next(), None);
            }
        }

        #[test]
        fn elements_are_those_of_a_slice(len in 0..20_000_usize, taken in 0..20_000_usize) {
            let (expected, both) = numbers(len);
            for shared in both {
                let mut iter = shared.iter();
                let first: Vec<u16> = iter.by_ref().take(taken).collect();
                prop_assert_eq!(iter.len(), len - first.len());
                let rest = iter.fold(Vec::new(), |mut rest, number| {
                    rest.push(number);
                    rest
                });
                prop_assert_eq!([first, rest].concat(), &*expected);
            }
        }
    }

    #[test]
    fn a_piece_longer_than_all_elements_is_all_of_them() {
        for len in [0, 1, 5_000] {
            let (expected, both) = numbers(len);
            for shared in both {
                let mut chunks = shared.chunks(usize::MAX);
                assert_eq!(chunks.next(), (len > 0).then_some(&*expected));
                assert_eq!(chunks.next(), None);
            }
        }
    }
}
