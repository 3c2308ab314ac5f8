//! The 27 bits that a message carries besides its body: the operation of a request, and the outcome of an
//! answer.
//!
//! # Operations
//!
//! A request names one of these operations. All are answered like calls, some of them late:
//!
//! | Operation | Its body, in the client's codec | It is answered |
//! | --- | --- | --- |
//! | [`Call`](Operation::Call) | the number of each stream that the method takes or returns, as the client chose it; then the arguments | with the result; when there are streams, as soon as they are open |
//! | [`Pull`](Operation::Pull) | the number of a stream | with a batch, once there is an item; for a method that takes a stream, with its result |
//! | [`Push`](Operation::Push) | the number of a stream, [`push`](crate::stream::protocol::push) flags, a batch | with [`credit`](crate::stream::protocol::credit) flags: when there is room for more, or at once if it may not wait |
//! | [`Close`](Operation::Close) | how many streams, and the number of each, opened or not | at once |
//! | [`Subscribe`](Operation::Subscribe) | a version, and the numbers of all events that the client wants from now on | at once |
//! | [`PullEvents`](Operation::PullEvents) | nothing | with events, once there is one |
//! | [`PullNotices`](Operation::PullNotices) | nothing | with [`Notice`](crate::stream::protocol::Notice)s of uploads, once there is one; with the end when the client has no upload open |
//! | [`GiveUp`](Operation::GiveUp) | the number of an upload | at once, with an [`UploadState`](crate::stream::protocol::UploadState): the upload is closed unless that says that it goes on |
//!
//! A batch is the number of its items, then the items; plain numbers are one raw section.

/// Set when a trailer with the lengths of raw sections ends the body; in requests and answers.
pub const RAW: u32 = 1 << 22;

const METHOD_BITS: u32 = 14;
const SERVICE_BITS: u32 = 8;
const STATUS_BITS: u32 = 8;

/// The most methods that a service may have.
pub const MAX_METHODS: usize = 1 << METHOD_BITS;
/// The most services that a server may have. One number is the [`REGISTRY`]'s.
pub const MAX_SERVICES: usize = (1 << SERVICE_BITS) - 1;
/// The number of the service that finds the others.
pub const REGISTRY: u8 = MAX_SERVICES as u8;

/// The position of a request's operation.
const OPERATION_SHIFT: u32 = RAW.trailing_zeros() + 1;
const OPERATION_BITS: u32 = 3;

const _: () = assert!(METHOD_BITS + SERVICE_BITS == RAW.trailing_zeros());
const _: () = assert!(OPERATION_SHIFT + OPERATION_BITS <= witrpc_transport::TAG_BITS);
const _: () = assert!(RAW < 1 << witrpc_transport::TAG_BITS);

/// The operation of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// Runs a method.
    Call = 0,
    /// Fetches the next items of a stream.
    Pull = 1,
    /// Sends the next items of a stream.
    Push = 2,
    /// Closes streams.
    Close = 3,
    /// Subscribes to events of a service: `method` is zero.
    Subscribe = 4,
    /// Fetches the next events.
    PullEvents = 5,
    /// Fetches the next notices of uploads.
    PullNotices = 6,
    /// Ends an upload of which no item was taken.
    GiveUp = 7,
}

impl Operation {
    fn from_bits(bits: u32) -> Option<Self> {
        Some(match bits {
            0 => Operation::Call,
            1 => Operation::Pull,
            2 => Operation::Push,
            3 => Operation::Close,
            4 => Operation::Subscribe,
            5 => Operation::PullEvents,
            6 => Operation::PullNotices,
            7 => Operation::GiveUp,
            _ => return None,
        })
    }

    /// Returns whether it continues a call that has begun. A server that drains its calls still serves such
    /// requests. A pull does, since it fetches the answer of an upload. Once the server drains its calls,
    /// clients make no pulls for a stream that was returned.
    pub fn continues_a_call(self) -> bool {
        match self {
            Operation::Call | Operation::Subscribe | Operation::PullEvents => false,
            Operation::Pull
            | Operation::Push
            | Operation::Close
            | Operation::PullNotices
            | Operation::GiveUp => true,
        }
    }
}

/// The tag of a request: `method` and `service` as the server numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTag {
    /// The operation.
    pub operation: Operation,
    /// The method's place in the server's list.
    pub method: u16,
    /// The service's place in the server's list.
    pub service: u8,
    /// Whether the body has raw sections.
    pub raw: bool,
}

impl RequestTag {
    /// Returns the tag of a request for a stream, or for all events of the client.
    pub const fn of(operation: Operation) -> Self {
        Self { operation, method: 0, service: 0, raw: false }
    }

    /// Returns the tag of a call.
    pub const fn call(service: u8, method: u16) -> Self {
        Self { operation: Operation::Call, method, service, raw: false }
    }

    /// Returns the bits. `method` must be below [`MAX_METHODS`].
    pub fn bits(self) -> u32 {
        debug_assert!(usize::from(self.method) < MAX_METHODS);
        u32::from(self.method)
            | u32::from(self.service) << METHOD_BITS
            | if self.raw { RAW } else { 0 }
            | u32::from(self.operation as u8) << OPERATION_SHIFT
    }

    /// Reads service and method of a call whose body has no raw sections. Returns `None` for any other request.
    #[inline]
    pub fn plain_call_of_bits(bits: u32) -> Option<(u8, u16)> {
        const { assert!(Operation::Call as u32 == 0) }
        // No other bit may be set: no other operation, no raw section, no unknown bit.
        let method = (bits & (MAX_METHODS as u32 - 1)) as u16;
        (bits < RAW).then_some(((bits >> METHOD_BITS) as u8, method))
    }

    /// Reads the bits of a peer. Returns `None` if an unknown bit is set.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let operation = bits >> OPERATION_SHIFT & ((1 << OPERATION_BITS) - 1);
        let tag = Self {
            operation: Operation::from_bits(operation)?,
            method: (bits & (MAX_METHODS as u32 - 1)) as u16,
            service: (bits >> METHOD_BITS) as u8,
            raw: bits & RAW != 0,
        };
        (tag.bits() == bits).then_some(tag)
    }
}

/// Returns whether the last free thread may take a request: it runs no method, and is done at once. A push is
/// not such a request, since user code decodes its items, as it does arguments.
pub fn runs_nothing(bits: u32) -> bool {
    RequestTag::from_bits(bits).is_some_and(|tag| match tag.operation {
        Operation::Call | Operation::Push => false,
        Operation::Pull
        | Operation::Close
        | Operation::Subscribe
        | Operation::PullEvents
        | Operation::PullNotices
        | Operation::GiveUp => true,
    })
}

/// The outcome of a call, which decides what the answer's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The handler's value, or the `Ok` of its `Result`.
    Ok = 0,
    /// The `Err` of its `Result`.
    App = 1,
    /// The handler panicked: the message as UTF-8.
    Panicked = 2,
    /// The arguments could not be decoded: the reason, as UTF-8.
    BadRequest = 3,
    /// The method number is unknown: empty.
    UnknownMethod = 4,
    /// The answer is over the limit: its length and the limit, each a little-endian `u64`.
    AnswerTooLarge = 5,
    /// The answer could not be encoded: the reason, as UTF-8.
    EncodeFailed = 6,
    /// The server takes no calls any more: empty.
    ShuttingDown = 7,
    /// The caller's deadline had passed before the handler was begun: empty.
    Expired = 8,
    /// A hook rejected the call: `+` if it may pass later, else `-`, then the reason, as UTF-8.
    Rejected = 9,
    /// The stream is over, or not known any more: empty.
    End = 10,
    /// The client has the most streams open that it may have: empty.
    TooManyStreams = 11,
    /// The server could start no thread for the method, which was not begun: the reason, as UTF-8.
    NoThread = 12,
}

/// The tag of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTag {
    /// The outcome of the call.
    pub status: Status,
    /// Whether the body has raw sections.
    pub raw: bool,
}

impl AnswerTag {
    /// Returns the bits.
    pub const fn bits(self) -> u32 {
        self.status as u32 | if self.raw { RAW } else { 0 }
    }

    /// Reads the bits of a peer. Returns `None` for unknown ones.
    pub fn from_bits(bits: u32) -> Option<Self> {
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
            10 => Status::End,
            11 => Status::TooManyStreams,
            12 => Status::NoThread,
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
            RequestTag::call(0, 0),
            RequestTag::call(255, MAX_METHODS as u16 - 1),
            RequestTag { raw: true, ..RequestTag::call(255, MAX_METHODS as u16 - 1) },
            RequestTag { raw: true, ..RequestTag::call(2, 1) },
            RequestTag { raw: true, ..RequestTag::of(Operation::Push) },
            RequestTag { operation: Operation::PullEvents, ..RequestTag::call(255, 3) },
            RequestTag::of(Operation::PullNotices),
            RequestTag::of(Operation::GiveUp),
        ] {
            assert_eq!(RequestTag::from_bits(tag.bits()), Some(tag));
            let plain = (tag == RequestTag::call(tag.service, tag.method))
                .then_some((tag.service, tag.method));
            assert_eq!(RequestTag::plain_call_of_bits(tag.bits()), plain);
        }
    }

    #[test]
    fn a_bit_without_meaning_is_refused() {
        assert_eq!(RequestTag::from_bits(1 << 26), None);
        assert_eq!(RequestTag::plain_call_of_bits(1 << 26), None);
        assert_eq!(AnswerTag::from_bits(200), None);
        assert_eq!(AnswerTag::from_bits(1 << 8), None);
    }

    #[test]
    fn answer_tags_survive_the_wire() {
        for bits in (0..13).flat_map(|status| [status, status | RAW]) {
            assert_eq!(AnswerTag::from_bits(bits).map(AnswerTag::bits), Some(bits));
        }
    }
}
