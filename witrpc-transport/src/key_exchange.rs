//! The key exchange that a transport runs before it lets a client in, and the keys that come of it.
//!
//! Before anything is made for a client, both sides exchange one message each way ([`Initiator`],
//! [`Responder`]) and have the same [`Keys`] from there on. The layers above know the cryptography; the
//! transport decides what is sealed, and under which number.
//!
//! # Invariant
//!
//! No number is ever used twice for sealing in one direction of a connection. Records of the handshake
//! count from 0. Messages have the lane in the upper bits and count from [`FIRST_MESSAGE_NUMBER`] in the
//! lower bits, each lane for itself. A transport that keeps the order of all messages needs one lane, 0.

use std::fmt;

use thiserror::Error;

use crate::admission::Clearance;

/// How many bytes sealing adds to a piece.
pub const TAG_LEN: usize = 16;

/// The longest piece that is sealed at once, in bytes.
pub const MAX_PIECE_LEN: usize = 65_535 - TAG_LEN;

/// The longest message of a key exchange, in bytes.
pub const MAX_EXCHANGE_LEN: usize = 96;

/// Bits of the number of a message that count the pieces of a lane; the lane is in those above.
pub const COUNTER_BITS: u32 = 54;

/// What the count of each lane's pieces begins with. All below is the records'.
pub const FIRST_MESSAGE_NUMBER: u64 = 256;

/// What a side asks for. It is said in clear, and bound by the exchange: both must ask for the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demands {
    /// That the other side has a secret too.
    pub token: bool,
    /// That messages are sealed, and not only the handshake.
    pub encryption: bool,
}

impl Demands {
    const TOKEN: u32 = 1;
    const ENCRYPTION: u32 = 2;

    /// The same demands, and that the other side has a secret too or need have none.
    #[must_use]
    pub const fn with_token(self, token: bool) -> Self {
        Self { token, ..self }
    }

    /// The same demands, and that messages are sealed or are not.
    #[must_use]
    pub const fn with_encryption(self, encryption: bool) -> Self {
        Self { encryption, ..self }
    }

    /// Returns the demands as the bits of a word.
    #[must_use]
    pub fn to_bits(self) -> u32 {
        (if self.token { Self::TOKEN } else { 0 })
            | (if self.encryption { Self::ENCRYPTION } else { 0 })
    }

    /// Reads the bits that [`to_bits`](Self::to_bits) makes; `None` where an unknown bit is set.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let known =
            Self { token: bits & Self::TOKEN != 0, encryption: bits & Self::ENCRYPTION != 0 };
        (known.to_bits() == bits).then_some(known)
    }
}

/// A client's side of key exchanges. A transport finds one in what a client brings to connect. Its methods
/// never wait, and may be called from any thread.
pub trait Initiator: Send + Sync {
    /// Returns what it asks for. The transport says so in clear, and ends the connection if the server
    /// asks for something else.
    fn demands(&self) -> Demands;

    /// Begins an exchange, once for each connection. `prologue` is what both sides have said in clear: an exchange in which the
    /// two have heard different things fails.
    ///
    /// # Errors
    ///
    /// [`NoRandomBytes`]: no key can be made.
    fn begin(&self, prologue: &[u8]) -> Result<Begun, NoRandomBytes>;
}

/// The system gives this process no random bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Error)]
#[error("the system gives this process no random bytes")]
#[non_exhaustive]
pub struct NoRandomBytes;

impl NoRandomBytes {
    /// The error itself.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// An exchange that a client has begun.
#[non_exhaustive]
pub struct Begun {
    /// To be sent; 1 to [`MAX_EXCHANGE_LEN`] bytes.
    pub message: Vec<u8>,
    /// Makes the keys of what the server replies. `None`: that is no reply to this message.
    pub finish: Box<Finish>,
}

impl Begun {
    /// An exchange with this message, 1 to [`MAX_EXCHANGE_LEN`] bytes, whose reply `finish` takes.
    #[must_use]
    pub fn new(
        message: Vec<u8>,
        finish: impl FnOnce(&[u8]) -> Option<Box<dyn Keys>> + Send + 'static,
    ) -> Self {
        Self { message, finish: Box::new(finish) }
    }
}

/// What is left of an exchange once the server has replied.
pub type Finish = dyn FnOnce(&[u8]) -> Option<Box<dyn Keys>> + Send;

/// A server's side of key exchanges. A transport finds one in what a server brings to bind. Its methods never
/// wait for a peer, and may be called from any thread.
pub trait Responder: Send + Sync {
    /// Returns what it asks for.
    fn demands(&self) -> Demands;

    /// Replies to a client's message, which is untrusted. `None`: the client has not the secret, or has
    /// heard something else than `prologue`. It may ask code of the user which secrets there are, so it is
    /// called with no lock held.
    ///
    /// The sender of the message may only have seen it elsewhere: a client is what it says it is when it
    /// has sealed something with the keys.
    ///
    /// # Errors
    ///
    /// [`NoRandomBytes`]: no key can be made.
    fn respond(&self, prologue: &[u8], message: &[u8]) -> Result<Option<Response>, NoRandomBytes>;
}

/// What a server replies to a client that has the secret.
#[non_exhaustive]
pub struct Response {
    /// To be sent; 1 to [`MAX_EXCHANGE_LEN`] bytes.
    pub message: Vec<u8>,
    /// The keys of this connection.
    pub keys: Box<dyn Keys>,
    /// Handed to the admission.
    pub clearance: Clearance,
}

impl Response {
    /// A reply with this message, 1 to [`MAX_EXCHANGE_LEN`] bytes.
    #[must_use]
    pub fn new(message: Vec<u8>, keys: Box<dyn Keys>, clearance: Clearance) -> Self {
        Self { message, keys, clearance }
    }
}

/// One side's keys of one connection. Its methods never wait, and may be called from several threads at
/// once.
pub trait Keys: Send + Sync {
    /// Seals a piece of at most [`MAX_PIECE_LEN`] bytes in place, and gives the tag that goes with it.
    /// No `number` is to be used twice in one direction: the cipher protects nothing then. The numbers of
    /// each lane rise.
    ///
    /// # Panics
    ///
    /// It may, when a lane's numbers fall.
    fn seal(&self, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN];

    /// Opens in place what the other side has sealed under this number. `false`: it is something else,
    /// and `piece` holds garbage. The pieces of each lane are opened in the order of their numbers.
    #[must_use]
    fn open(&self, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool;
}

/// Protects nothing: each side trusts any peer that the transport lets in. The number
/// goes with what is sealed, so that mistakes in the order are found.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Plain {
    /// Whether messages pass through the sealing too.
    pub encryption: bool,
}

impl Plain {
    const EXCHANGE: &[u8] = &[0];

    /// Passes messages through the sealing too, or not.
    #[must_use]
    pub const fn new(encryption: bool) -> Self {
        Self { encryption }
    }

    fn keys() -> Box<dyn Keys> {
        Box::new(Self::default())
    }
}

impl Initiator for Plain {
    fn demands(&self) -> Demands {
        Demands::default().with_encryption(self.encryption)
    }

    fn begin(&self, _prologue: &[u8]) -> Result<Begun, NoRandomBytes> {
        let finish = |reply: &[u8]| (reply == Self::EXCHANGE).then(Self::keys);
        Ok(Begun::new(Self::EXCHANGE.to_vec(), finish))
    }
}

impl Responder for Plain {
    fn demands(&self) -> Demands {
        Initiator::demands(self)
    }

    fn respond(&self, _prologue: &[u8], message: &[u8]) -> Result<Option<Response>, NoRandomBytes> {
        Ok((message == Self::EXCHANGE)
            .then(|| Response::new(Self::EXCHANGE.to_vec(), Self::keys(), Clearance::default())))
    }
}

impl Keys for Plain {
    fn seal(&self, number: u64, _piece: &mut [u8]) -> [u8; TAG_LEN] {
        u128::from(number).to_le_bytes()
    }

    fn open(&self, number: u64, _piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        tag == u128::from(number).to_le_bytes()
    }
}

impl fmt::Debug for dyn Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_survive_their_bits_and_unknown_ones_are_refused() {
        for bits in 0..4 {
            assert_eq!(Demands::from_bits(bits).map(Demands::to_bits), Some(bits));
        }
        assert_eq!(Demands::from_bits(4), None);
    }
}
