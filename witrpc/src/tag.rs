//! What the 28 bits beside a message say: which method is called, how a call went.

/// Set when a trailer with the lengths of raw sections ends the body; in requests and answers.
pub(crate) const RAW: u32 = 1 << 22;

const METHOD_BITS: u32 = 14;
const SERVICE_BITS: u32 = 8;
const STATUS_BITS: u32 = 8;

/// How many methods a service may have.
pub(crate) const MAX_METHODS: usize = 1 << METHOD_BITS;
/// How many services a server may have. One number is the [`REGISTRY`]'s.
pub(crate) const MAX_SERVICES: usize = (1 << SERVICE_BITS) - 1;
/// The number of the service that finds the others.
pub(crate) const REGISTRY: u8 = MAX_SERVICES as u8;

const _: () = assert!(METHOD_BITS + SERVICE_BITS == RAW.trailing_zeros());
const _: () = assert!(RAW < 1 << crate::transport::TAG_BITS);

/// The tag of a request: `method` and `service` as the server numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestTag {
    /// The method's place in the server's list.
    pub(crate) method: u16,
    /// The service's place in the server's list.
    pub(crate) service: u8,
    /// Whether the body has raw sections.
    pub(crate) raw: bool,
}

impl RequestTag {
    /// The bits. `method` must be below [`MAX_METHODS`].
    pub(crate) fn bits(self) -> u32 {
        debug_assert!(usize::from(self.method) < MAX_METHODS);
        u32::from(self.method)
            | u32::from(self.service) << METHOD_BITS
            | if self.raw { RAW } else { 0 }
    }

    /// Reads what a peer sent; `None` when a bit is set that has no meaning.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        let tag = Self {
            method: (bits & (MAX_METHODS as u32 - 1)) as u16,
            service: (bits >> METHOD_BITS) as u8,
            raw: bits & RAW != 0,
        };
        (tag.bits() == bits).then_some(tag)
    }
}

/// How a call went, and so what the answer's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// The handler's value, or the `Ok` of its `Result`.
    Ok = 0,
    /// The `Err` of its `Result`.
    App = 1,
    /// The handler panicked: the message as UTF-8.
    Panicked = 2,
    /// The arguments could not be decoded: why, as UTF-8.
    BadRequest = 3,
    /// The method number means nothing here: empty.
    UnknownMethod = 4,
    /// The answer is over the limit: its length and the limit, each a little-endian `u64`.
    AnswerTooLarge = 5,
    /// The answer could not be encoded: why, as UTF-8.
    EncodeFailed = 6,
    /// The server takes no calls any more: empty.
    ShuttingDown = 7,
    /// The caller's deadline had passed before the handler was begun: empty.
    Expired = 8,
    /// A hook did not let the call through: `+` if it may later, else `-`, then why, as UTF-8.
    Rejected = 9,
}

/// The tag of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerTag {
    /// How the call went.
    pub(crate) status: Status,
    /// Whether the body has raw sections.
    pub(crate) raw: bool,
}

impl AnswerTag {
    /// The bits.
    pub(crate) fn bits(self) -> u32 {
        self.status as u32 | if self.raw { RAW } else { 0 }
    }

    /// Reads what a peer sent; `None` when it has no meaning.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        let status = match bits & ((1 << STATUS_BITS) - 1) {
            0 => Status::Ok,
            1 => Status::App,
            2 => Status::Panicked,
            3 => Status::BadRequest,
            4 => Status::UnknownMethod,
            5 => Status::AnswerTooLarge,
            6 => Status::EncodeFailed,
            7 => Status::ShuttingDown,
            8 => Status::Expired,
            9 => Status::Rejected,
            _ => return None,
        };
        let tag = Self { status, raw: bits & RAW != 0 };
        (tag.bits() == bits).then_some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_tags_survive_the_wire() {
        for tag in [
            RequestTag { method: 0, service: 0, raw: false },
            RequestTag { method: MAX_METHODS as u16 - 1, service: 255, raw: true },
            RequestTag { method: 1, service: 2, raw: true },
        ] {
            assert_eq!(RequestTag::from_bits(tag.bits()), Some(tag));
        }
    }

    #[test]
    fn a_bit_without_meaning_is_refused() {
        assert_eq!(RequestTag::from_bits(1 << 23), None);
        assert_eq!(AnswerTag::from_bits(200), None);
        assert_eq!(AnswerTag::from_bits(1 << 8), None);
    }

    #[test]
    fn answer_tags_survive_the_wire() {
        for bits in (0..10).flat_map(|status| [status, status | RAW]) {
            assert_eq!(AnswerTag::from_bits(bits).map(AnswerTag::bits), Some(bits));
        }
    }
}
