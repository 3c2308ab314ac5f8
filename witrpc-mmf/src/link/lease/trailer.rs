//! The trailer, by which a message names its leases: at its end, where the layers above the channel
//! never see it.
//!
//! ```text
//! the message's own bytes | granule, generation, length: 2 words a lease | how many: 1 byte
//! ```
//!
//! The words are in the machine's byte order, as on a line.

use witrpc_transport::{Body, Fill, Lent, Payload};

use crate::memory::layout::INLINE_LEN;

use super::Claim;

/// The most leases of one message.
pub const MAX_LEASES_OF_A_MESSAGE: usize = 16;

const DESCRIPTION_LEN: usize = 16;

const MAX_LEN: usize = len_of(MAX_LEASES_OF_A_MESSAGE);

/// Returns the length in bytes of the trailer for `leases` leases.
pub const fn len_of(leases: usize) -> usize {
    leases * DESCRIPTION_LEN + 1
}

/// Calls `send` with the body followed by the descriptions of its leases.
///
/// # Panics
///
/// Panics if there are no leases, or more than [`MAX_LEASES_OF_A_MESSAGE`].
pub fn with_leases<R>(body: Body<'_>, leases: &[Lent], send: impl FnOnce(Body<'_>) -> R) -> R {
    assert!(
        (1..=MAX_LEASES_OF_A_MESSAGE).contains(&leases.len()),
        "a message takes 1 to {MAX_LEASES_OF_A_MESSAGE} leases along, not {}",
        leases.len()
    );
    let (own, end_len) = (body.len(), len_of(leases.len()));
    let len = own + end_len;
    if len > INLINE_LEN {
        let mut end = [0; MAX_LEN];
        describe(leases, &mut end[..end_len]);
        return send(Body::Large(&Described { body, end, end_len }));
    }
    let mut padded = [0; INLINE_LEN];
    body.write_at(0, &mut padded[..own]);
    describe(leases, &mut padded[own..len]);
    send(Body::Small { padded: &padded, len })
}

/// Writes the trailer for these leases, which is as long as `end`.
fn describe(leases: &[Lent], end: &mut [u8]) {
    for (description, lent) in end.as_chunks_mut::<DESCRIPTION_LEN>().0.iter_mut().zip(leases) {
        let words = Claim::of(lent).reference().to_words().map(u64::to_ne_bytes);
        description.copy_from_slice(words.as_flattened());
    }
    end[leases.len() * DESCRIPTION_LEN] = leases.len() as u8;
}

/// A body and its trailer.
struct Described<'a> {
    body: Body<'a>,
    end: [u8; MAX_LEN],
    end_len: usize,
}

impl Fill for Described<'_> {
    fn len(&self) -> usize {
        self.body.len() + self.end_len
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        let own = self.body.len().saturating_sub(offset).min(out.len());
        let (front, back) = out.split_at_mut(own);
        if own > 0 {
            self.body.write_at(offset, front);
        }
        let start = (offset + own).saturating_sub(self.body.len());
        back.copy_from_slice(&self.end[..self.end_len][start..start + back.len()]);
    }
}

/// Reads the trailer of a message: returns the words of its leases, and the length of the message
/// without the trailer in bytes. Each byte is read once.
///
/// # Errors
///
/// The rule that the peer has broken.
pub fn read(
    payload: &Payload,
) -> Result<(impl ExactSizeIterator<Item = [u64; 2]>, usize), &'static str> {
    const RULE: &str = "a message with leases that does not end with their descriptions";
    let len = payload.len();
    let mut count = [0];
    payload.copy_to(len.checked_sub(1).ok_or(RULE)?, &mut count);
    let count = usize::from(count[0]);
    if !(1..=MAX_LEASES_OF_A_MESSAGE).contains(&count) {
        return Err(RULE);
    }
    let start = len.checked_sub(len_of(count)).ok_or(RULE)?;
    let words = (0..count).map(move |index| {
        let mut words = [[0; 8]; 2];
        payload.copy_to(start + index * DESCRIPTION_LEN, words.as_flattened_mut());
        words.map(u64::from_ne_bytes)
    });
    Ok((words, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(end: &[u8]) -> Payload {
        let mut bytes = [0; INLINE_LEN];
        bytes[..end.len()].copy_from_slice(end);
        Payload::Small { bytes, len: end.len() as u8 }
    }

    #[test]
    fn a_trailer_that_does_not_fit_is_refused() {
        for bytes in [&[][..], &[0], &[1], &[3; 48], &[17; 33], &[255; 48], &[1; 16]] {
            assert!(read(&small(bytes)).is_err(), "{bytes:?}");
        }
        let one = small(&[1; 17]);
        let (words, rest) = read(&one).expect("one lease and nothing else");
        assert_eq!((words.collect::<Vec<_>>(), rest), (vec![[0x0101_0101_0101_0101; 2]], 0));
        let mut two = [7; 48];
        two[47] = 2;
        let two = small(&two);
        let (words, rest) = read(&two).expect("two leases behind 15 bytes");
        assert_eq!((words.len(), rest), (2, 15));
    }
}
