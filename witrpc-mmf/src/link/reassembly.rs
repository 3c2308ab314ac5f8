//! A message that arrives in segments. Both sides do the same.

use std::collections::TryReserveError;

use crate::memory::try_alloc::room_for;

use super::head::Head;
use super::sealed::{AuthError, FORGED};

/// What the head of every segment of a message repeats.
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

/// A message of which not all segments have arrived.
#[derive(Debug)]
pub struct Reassembly {
    said: Said,
    bytes: Vec<u8>,
}

/// Why a segment was refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not continue the message where the segment before it ended.
    OutOfOrder,
    /// It is longer than a segment can be, and would take too long to copy or to open.
    TooLong,
    /// Its bytes are not what the peer has sealed.
    AuthError,
}

impl Refused {
    /// Returns the rule that the peer has broken.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::OutOfOrder => "a segment that does not follow the one before",
            Self::TooLong => "a segment longer than any is",
            Self::AuthError => FORGED,
        }
    }
}

impl Reassembly {
    /// Allocates memory for the whole message whose first segment has this head, so that two
    /// incomplete messages never wait for each other. The caller must have checked the length.
    ///
    /// # Errors
    ///
    /// This process has no memory for the message.
    pub fn begin(head: Head) -> Result<Self, TryReserveError> {
        let said = Said::from(head);
        Ok(Self { said, bytes: room_for(said.total)? })
    }

    /// Adds a segment of `len` bytes that begins at `start` in its message. Checks its head against
    /// that of the first. Then it calls `ask`, unless this is the last segment, so that the peer
    /// makes the next one meanwhile. Then it calls `copy`, which appends the bytes, or fails if
    /// they are not what the peer sealed.
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

    /// Returns how many bytes are missing.
    pub fn missing(&self) -> usize {
        self.said.total - self.bytes.len()
    }

    /// Returns the length of the whole message in bytes.
    pub fn total(&self) -> usize {
        self.said.total
    }

    /// Returns the message if all of it has arrived, and otherwise the reassembly.
    pub fn whole(self) -> Result<Vec<u8>, Self> {
        if self.bytes.len() == self.said.total { Ok(self.bytes) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use crate::link::head::LineKind;

    use super::*;

    #[test]
    fn the_next_segment_is_requested_before_one_is_copied() {
        let head = Head::new(LineKind::Segment, 0, 250);
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
    fn no_segment_is_requested_after_one_that_breaks_a_rule() {
        let head = Head::new(LineKind::Segment, 0, 250);
        let mut reassembly = Reassembly::begin(head).expect("there is memory");
        for (start, len) in [(1, 100), (0, 0), (0, 251)] {
            let refused =
                reassembly.append(head, start, len, || panic!("asked"), |_| panic!("copied"));
            assert_eq!(refused, Err(Refused::OutOfOrder));
        }
    }
}
