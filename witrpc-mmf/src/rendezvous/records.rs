//! The records of one handshake, sealed before they are sent and opened as they arrive.

use witrpc_transport::{FIRST_MESSAGE_NUMBER, Keys, MAX_PIECE_LEN, TAG_LEN};

/// One side's half. The first record that one side seals is the first that the other side opens, and so
/// on. None is skipped, so a record that was left out, repeated or moved does not open.
#[derive(Debug)]
pub struct Records {
    keys: Box<dyn Keys>,
    /// The number of pieces sealed so far, and so the number of the next.
    sealed: u64,
    opened: u64,
}

impl Records {
    pub fn new(keys: Box<dyn Keys>) -> Self {
        Self { keys, sealed: 0, opened: 0 }
    }

    /// Returns the length of a record of `len` bytes once it is sealed.
    pub fn sealed_len(len: usize) -> usize {
        len + len.div_ceil(MAX_PIECE_LEN) * TAG_LEN
    }

    pub fn seal(&mut self, record: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(Self::sealed_len(record.len()));
        for piece in record.chunks(MAX_PIECE_LEN) {
            let start = sealed.len();
            sealed.extend_from_slice(piece);
            let tag = self.keys.seal(next(&mut self.sealed), &mut sealed[start..]);
            sealed.extend_from_slice(&tag);
        }
        sealed
    }

    /// Opens the peer's next record; returns `None` if these bytes are not that record.
    pub fn open(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut record = Vec::with_capacity(sealed.len());
        for sealed in sealed.chunks(MAX_PIECE_LEN + TAG_LEN) {
            let (piece, tag) = sealed.split_last_chunk()?;
            let start = record.len();
            record.extend_from_slice(piece);
            let number = next(&mut self.opened);
            self.keys.open(number, &mut record[start..], *tag).then_some(())?;
        }
        Some(record)
    }

    /// Returns the keys, for the messages that follow.
    pub fn into_keys(self) -> Box<dyn Keys> {
        self.keys
    }
}

fn next(count: &mut u64) -> u64 {
    let number = *count;
    *count += 1;
    assert!(number < FIRST_MESSAGE_NUMBER, "a handshake has a few records of some pieces");
    number
}

#[cfg(test)]
mod tests {
    use witrpc_transport::Plain;

    use crate::rendezvous::record::MAX_RECORD_LEN;

    use super::*;

    fn pair() -> (Records, Records) {
        let records = || Records::new(Box::new(Plain::default()));
        (records(), records())
    }

    #[test]
    fn records_of_any_length_come_through_in_order() {
        let (mut sender, mut receiver) = pair();
        for len in [1, 73, MAX_PIECE_LEN, MAX_PIECE_LEN + 1, MAX_RECORD_LEN] {
            let record: Vec<_> = (0..len).map(|i| (i % 251) as u8).collect();
            let sealed = sender.seal(&record);
            assert_eq!(sealed.len(), Records::sealed_len(len));
            assert!(receiver.open(&sealed).as_ref() == Some(&record), "{len}");
        }
    }

    #[test]
    fn what_is_not_the_next_record_does_not_open() {
        let (mut sender, mut receiver) = pair();
        let (first, second) = (sender.seal(b"first"), sender.seal(b"second"));
        assert_eq!(receiver.open(&second), None, "moved");
        let (_, mut receiver) = pair();
        receiver.open(&first).unwrap();
        assert_eq!(receiver.open(&first), None, "repeated");
        let (_, mut receiver) = pair();
        assert_eq!(receiver.open(&first[..first.len() - 1]), None, "cut short");
        for sealed in [&b""[..], &[0; TAG_LEN - 1]] {
            let (_, mut receiver) = pair();
            assert!(receiver.open(sealed).is_none_or(|record| record.is_empty()));
        }
    }
}
