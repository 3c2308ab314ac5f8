//! A message that comes in segments, as far as it has come: the same on both sides.

use std::collections::TryReserveError;

use crate::memory::try_alloc::room_for;

use super::head::Head;
use super::sealed::{AuthError, FORGED};

/// What every segment must say again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    tag: u32,
    total: usize,
}

impl From<Head> for Said {
    fn from(head: Head) -> Self {
        Self { tag: head.tag, total: head.len as usize }
    }
}

/// A message of which not all segments have come.
#[derive(Debug)]
pub struct Reassembly {
    said: Said,
    bytes: Vec<u8>,
}

/// Why a segment was not added.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not follow the one before.
    OutOfOrder,
    /// It is longer than any segment is, and would take as much longer to copy or to open.
    TooLong,
    /// What it holds is not what the peer has sealed.
    AuthError,
}

impl Refused {
    /// The rule that the peer has broken.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::OutOfOrder => "a segment that does not follow the one before",
            Self::TooLong => "a segment longer than any is",
            Self::AuthError => FORGED,
        }
    }
}

impl Reassembly {
    /// Room for all of the message whose first segment has this head: two messages never wait for
    /// each other half done. The caller has checked the length.
    ///
    /// # Errors
    ///
    /// This process has no memory for it.
    pub fn begin(head: Head) -> Result<Self, TryReserveError> {
        let said = Said::from(head);
        Ok(Self { said, bytes: room_for(said.total)? })
    }

    /// Adds the segment of `len` bytes that begins at `start` in its message. What it says is checked
    /// against the first. Then `ask` is called, unless it is the last, to have the peer make the next
    /// meanwhile; and `copy` adds the bytes, or says that they are not the peer's.
    ///
    /// # Errors
    ///
    /// [`Refused`]: the peer has broken a rule.
    pub fn append(
        &mut self,
        head: Head,
        start: u64,
        len: usize,
        ask: impl FnOnce(),
        copy: impl FnOnce(&mut Vec<u8>) -> Result<(), AuthError>,
    ) -> Result<(), Refused> {
        let follows = Said::from(head) == self.said
            && start == self.bytes.len() as u64
            && len > 0
            && len <= self.missing();
        if !follows {
            return Err(Refused::OutOfOrder);
        }
        if len < self.missing() {
            ask();
        }
        copy(&mut self.bytes).map_err(|AuthError| Refused::AuthError)
    }

    /// How many bytes have not come yet.
    pub fn missing(&self) -> usize {
        self.said.total - self.bytes.len()
    }

    /// The length of the whole message in bytes.
    pub fn total(&self) -> usize {
        self.said.total
    }

    /// The message, once all of it has come.
    pub fn whole(self) -> Result<Vec<u8>, Self> {
        if self.bytes.len() == self.said.total { Ok(self.bytes) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use crate::link::head::Kind;

    use super::*;

    #[test]
    fn the_next_segment_is_asked_for_before_one_is_taken_and_none_after_the_last() {
        let head = Head::new(Kind::Segment, 0, 250);
        let mut reassembly = Reassembly::begin(head).expect("there is memory");
        for (start, len, is_last) in [(0, 100, false), (100, 100, false), (200, 50, true)] {
            let asked = std::cell::Cell::new(false);
            let copy = |out: &mut Vec<u8>| {
                assert_eq!(asked.get(), !is_last);
                out.resize(out.len() + len, 0);
                Ok(())
            };
            assert_eq!(reassembly.append(head, start, len, || asked.set(true), copy), Ok(()));
        }
        assert_eq!(reassembly.whole().map(|bytes| bytes.len()).ok(), Some(250));
    }

    #[test]
    fn nothing_is_asked_for_behind_a_segment_that_breaks_a_rule() {
        let head = Head::new(Kind::Segment, 0, 250);
        let mut reassembly = Reassembly::begin(head).expect("there is memory");
        for (start, len) in [(1, 100), (0, 0), (0, 251)] {
            let refused =
                reassembly.append(head, start, len, || panic!("asked"), |_| panic!("copied"));
            assert_eq!(refused, Err(Refused::OutOfOrder));
        }
    }
}
