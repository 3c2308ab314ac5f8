//! What crosses for a stream, besides its items: flags, notices, and the state of an upload. The operations
//! themselves are in [`tag`](crate::tag).

/// The most streams that one client may have open.
pub const MAX_STREAMS: usize = 1024;

/// The most streams that one request may close.
pub const MAX_CLOSED_AT_ONCE: usize = 256;

/// The bits of the number in a push.
pub mod push {
    /// These are the last items.
    pub const LAST: u64 = 1;
    /// The answer may wait until there is room for more.
    pub const WAITS: u64 = 2;
}

/// The bits of the number in the answer to a push.
pub mod credit {
    /// There is no room: the client may send the next push after the [`Notice`](super::Notice) of room.
    pub const FULL: u64 = 1;
    /// The method has taken an item.
    pub const TAKEN: u64 = 2;
}

/// A server's news of an upload, for the client, while no request of that upload waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Notice {
    /// There is room for more items.
    Room = 0,
    /// The method has ended: a pull is answered at once.
    Answered = 1,
}

impl Notice {
    /// The length of a notice and the number of its upload, in bytes.
    pub const LEN: usize = 9;

    /// The most notices in one message: as many as fit beside a message's head.
    pub const MOST_AT_ONCE: usize = witrpc_transport::SMALL_LEN / Self::LEN;

    /// Writes it behind others.
    pub fn write(self, upload: u64, message: &mut Vec<u8>) {
        message.push(self as u8);
        message.extend_from_slice(&upload.to_le_bytes());
    }

    /// Reads all notices of a message, which has at least one. Returns `None` if it is malformed.
    pub fn read_all(message: &[u8]) -> Option<Vec<(u64, Self)>> {
        let notices = message.chunks(Self::LEN).map(|bytes| {
            let notice = match bytes[0] {
                0 => Notice::Room,
                1 => Notice::Answered,
                _ => return None,
            };
            Some((u64::from_le_bytes(bytes[1..].try_into().ok()?), notice))
        });
        notices.collect::<Option<Vec<_>>>().filter(|notices| !notices.is_empty())
    }
}

/// The state of an upload when the client gave it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum UploadState {
    /// Its method waited for a thread and never begins.
    Queued = 0,
    /// Its method had begun and taken no item.
    NothingTaken = 1,
    /// It goes on: an item was taken, the method has ended, or it has begun and the client has sent no item.
    GoesOn = 2,
}

impl UploadState {
    /// Reads the number of a peer.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::Queued, Self::NothingTaken, Self::GoesOn]
            .into_iter()
            .find(|state| *state as u64 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_survive_the_wire_and_nonsense_is_refused() {
        let notices = [(7, Notice::Room), (u64::MAX, Notice::Answered)];
        let mut message = Vec::new();
        notices.iter().for_each(|(upload, notice)| notice.write(*upload, &mut message));
        assert_eq!(Notice::read_all(&message).as_deref(), Some(&notices[..]));
        assert_eq!(Notice::read_all(&message[..message.len() - 1]), None, "one is cut off");
        assert_eq!(Notice::read_all(&[]), None);
        assert_eq!(Notice::read_all(&[2; Notice::LEN]), None);
        for state in [UploadState::Queued, UploadState::NothingTaken, UploadState::GoesOn] {
            assert_eq!(UploadState::from_number(state as u64), Some(state));
        }
        assert_eq!(UploadState::from_number(3), None);
    }
}
