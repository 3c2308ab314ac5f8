//! The format of events on the wire: several in one answer, of all services and kinds that a client
//! wants.
//!
//! ```text
//! service: u8 | flags: u8 | event: u16 LE | len: u32 LE | lost: u64 LE | len bytes | the next one …
//! ```
//!
//! `lost` is how many events of that kind were dropped before this one. Flag 1 is set if there is an
//! event, and not only the count. Flag 2 is set if its body has raw sections.

use std::sync::Arc;

/// The length of the header before each event, in bytes.
pub const HEADER_LEN: usize = 16;

/// The length from which an answer takes no further event, in bytes. No event begins beyond this;
/// the last may be longer.
pub const ANSWER_LEN: usize = 32 << 10;

const HAS_BODY: u8 = 1;
const RAW: u8 = 2;

/// The arguments of an event, as one codec encodes them.
#[derive(Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Whether there are raw sections.
    pub raw: bool,
    pub bytes: Vec<u8>,
}

/// An event that is sent to a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    pub service: u8,
    pub event: u16,
    /// How many events of its kind were dropped before it.
    pub lost: u64,
    /// `None`: no event has come since these were dropped.
    pub emitted: Option<Arc<Emitted>>,
}

impl Delivery {
    /// Returns how many bytes it takes in a message.
    pub fn len(&self) -> usize {
        HEADER_LEN + self.emitted.as_ref().map_or(0, |emitted| emitted.bytes.len())
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let (flags, bytes) = match &self.emitted {
            Some(emitted) if emitted.raw => (HAS_BODY | RAW, &emitted.bytes[..]),
            Some(emitted) => (HAS_BODY, &emitted.bytes[..]),
            None => (0, &[][..]),
        };
        out.extend([self.service, flags]);
        out.extend(self.event.to_le_bytes());
        // No message is longer, and this is part of one.
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(self.lost.to_le_bytes());
        out.extend(bytes);
    }
}

/// Reads a message of events, which is untrusted; returns `None` if it breaks a rule. It must have at
/// least one event, so that each pull brings something. It must not exceed what [`ANSWER_LEN`] allows,
/// so that what is made of a message is not much longer than that.
pub fn read(message: &[u8]) -> Option<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    let mut message = message;
    let end = message.len();
    while !message.is_empty() || deliveries.is_empty() {
        if end - message.len() >= ANSWER_LEN {
            return None;
        }
        let (header, rest) = message.split_first_chunk::<HEADER_LEN>()?;
        let [service, flags, e0, e1, l0, l1, l2, l3, lost @ ..] = *header;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes([l0, l1, l2, l3]) as usize)?;
        let lost = u64::from_le_bytes(lost);
        let emitted = match flags {
            0 if bytes.is_empty() && lost > 0 => None,
            HAS_BODY => Some(Emitted { raw: false, bytes: bytes.to_vec() }),
            flags if flags == HAS_BODY | RAW => Some(Emitted { raw: true, bytes: bytes.to_vec() }),
            _ => return None,
        };
        deliveries.push(Delivery {
            service,
            event: u16::from_le_bytes([e0, e1]),
            lost,
            emitted: emitted.map(Arc::new),
        });
        message = rest;
    }
    Some(deliveries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_the_wire() {
        let emitted = |raw, bytes: &[u8]| Some(Arc::new(Emitted { raw, bytes: bytes.to_vec() }));
        let sent = [
            Delivery { service: 1, event: 300, lost: 0, emitted: emitted(false, b"one") },
            Delivery { service: 255, event: 0, lost: u64::MAX, emitted: emitted(true, b"") },
            Delivery { service: 0, event: 7, lost: 2, emitted: None },
        ];
        let mut message = Vec::new();
        for delivery in &sent {
            let before = message.len();
            delivery.write(&mut message);
            assert_eq!(message.len() - before, delivery.len());
        }
        assert_eq!(read(&message).unwrap(), sent);
        for cut in [1, 15, 18, message.len() - 1] {
            assert_eq!(read(&message[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_message_without_meaning_is_refused() {
        assert_eq!(read(&[]), None, "no event");
        let mut message = vec![0; HEADER_LEN];
        assert_eq!(read(&message), None, "neither an event nor one that was lost");
        message[8] = 1;
        assert!(read(&message).is_some());
        message[1] = RAW;
        assert_eq!(read(&message), None);
        message[1] = HAS_BODY;
        message[4] = 1;
        assert_eq!(read(&message), None);
    }
    #[test]
    fn a_message_has_no_more_events_than_a_server_sends() {
        let lost = Delivery { service: 0, event: 0, lost: 1, emitted: None };
        let mut message = Vec::new();
        while message.len() < ANSWER_LEN {
            lost.write(&mut message);
        }
        assert_eq!(read(&message).unwrap().len(), ANSWER_LEN / HEADER_LEN);
        lost.write(&mut message);
        assert_eq!(read(&message), None);
    }
}
