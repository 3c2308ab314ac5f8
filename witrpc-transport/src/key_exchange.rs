//! The key exchange that a transport runs before it lets a client in, and the resulting keys.
//!
//! Before anything is made for a client, both sides exchange one message each way ([`Initiator`],
//! [`Responder`]). From there on both have the same [`Keys`]. The layers above implement the cryptography. The
//! transport decides what is sealed, and under which number.
//!
//! # Invariant
//!
//! No number is ever used twice for sealing in one direction of a connection. Records of the handshake count
//! from 0. Numbers of messages have the lane in the upper bits. In the lower bits each lane counts from
//! [`FIRST_MESSAGE_NUMBER`]. A transport that keeps the order of all messages needs one lane, 0.

use std::fmt;

use thiserror::Error;

use crate::admission::Clearance;

/// The number of bytes that sealing adds to a piece.
pub const TAG_LEN: usize = 16;

/// The longest piece that is sealed at once, in bytes.
pub const MAX_PIECE_LEN: usize = 65_535 - TAG_LEN;

/// The longest message of a key exchange, in bytes.
pub const MAX_EXCHANGE_LEN: usize = 96;

/// Bits of the number of a message that count the pieces of a lane; the lane is in those above.
pub const COUNTER_BITS: u32 = 54;

/// The first count of each lane's pieces. Lower numbers belong to the records.
pub const FIRST_MESSAGE_NUMBER: u64 = 256;

/// What a side requires. It is sent in clear, and bound by the exchange: both must require the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demands {
    /// The other side must have a secret too.
    pub token: bool,
    /// Messages are sealed, and not only the handshake.
    pub encryption: bool,
}

impl Demands {
    const TOKEN: u32 = 1;
    const ENCRYPTION: u32 = 2;

    /// Returns the same demands, with or without a secret of the other side.
    #[must_use]
    pub const fn with_token(self, token: bool) -> Self {
        Self { token, ..self }
    }

    /// Returns the same demands, with or without sealed messages.
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

    /// Reads the bits that [`to_bits`](Self::to_bits) makes. Returns `None` if an unknown bit is set.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let known =
            Self { token: bits & Self::TOKEN != 0, encryption: bits & Self::ENCRYPTION != 0 };
        (known.to_bits() == bits).then_some(known)
    }
}

/// A client's side of key exchanges. A client passes one to its transport when it connects. Its methods never
/// wait, and may be called from any thread.
pub trait Initiator: Send + Sync {
    /// Returns what it requires. The transport sends it in clear, and ends the connection if the server
    /// requires something else.
    fn demands(&self) -> Demands;

    /// Begins an exchange, once for each connection. `prologue` is what both sides have sent in clear: if the
    /// two differ in it, the exchange fails.
    ///
    /// # Errors
    ///
    /// [`NoRandomBytes`] if no key can be made.
    fn begin(&self, prologue: &[u8]) -> Result<Begun, NoRandomBytes>;
}

/// The system gives this process no random bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Error)]
#[error("the system gives this process no random bytes")]
#[non_exhaustive]
pub struct NoRandomBytes;

impl NoRandomBytes {
    /// Returns the error.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// An exchange that a client has begun.
#[non_exhaustive]
pub struct Begun {
    /// The message to send: 1 to [`MAX_EXCHANGE_LEN`] bytes.
    pub message: Vec<u8>,
    /// Makes the keys from the server's reply. Returns `None` if that does not reply to this message.
    pub finish: Box<Finish>,
}

impl Begun {
    /// Returns an exchange with this message, 1 to [`MAX_EXCHANGE_LEN`] bytes, whose reply `finish` takes.
    #[must_use]
    pub fn new(
        message: Vec<u8>,
        finish: impl FnOnce(&[u8]) -> Option<Box<dyn Keys>> + Send + 'static,
    ) -> Self {
        Self { message, finish: Box::new(finish) }
    }
}

/// The rest of an exchange, once the server has replied.
pub type Finish = dyn FnOnce(&[u8]) -> Option<Box<dyn Keys>> + Send;

/// A server's side of key exchanges. A server passes one to its transport when it binds. Its methods never wait
/// for a peer, and may be called from any thread.
pub trait Responder: Send + Sync {
    /// Returns what it requires.
    fn demands(&self) -> Demands;

    /// Replies to a client's message, which is untrusted. Returns `None` if the client does not have the
    /// secret, or has seen another `prologue`. It may ask user code for the secrets, so it is called without a
    /// lock.
    ///
    /// The sender of the message may be a replay. A client is authenticated once it has sealed something with
    /// the keys.
    ///
    /// # Errors
    ///
    /// [`NoRandomBytes`] if no key can be made.
    fn respond(&self, prologue: &[u8], message: &[u8]) -> Result<Option<Response>, NoRandomBytes>;
}

/// The server's reply to a client that has the secret.
#[non_exhaustive]
pub struct Response {
    /// The message to send: 1 to [`MAX_EXCHANGE_LEN`] bytes.
    pub message: Vec<u8>,
    /// The keys of this connection.
    pub keys: Box<dyn Keys>,
    /// The clearance for the admission.
    pub clearance: Clearance,
}

impl Response {
    /// Returns a reply with this message, 1 to [`MAX_EXCHANGE_LEN`] bytes.
    #[must_use]
    pub fn new(message: Vec<u8>, keys: Box<dyn Keys>, clearance: Clearance) -> Self {
        Self { message, keys, clearance }
    }
}

/// One side's keys of one connection. Its methods never wait, and may be called from several threads at
/// once.
pub trait Keys: Send + Sync {
    /// Seals a piece of at most [`MAX_PIECE_LEN`] bytes in place, and returns its tag. No `number` may be used
    /// twice in one direction: the cipher protects nothing then. The numbers of each lane rise.
    ///
    /// # Panics
    ///
    /// May panic if a lane's numbers fall.
    fn seal(&self, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN];

    /// Opens in place what the other side has sealed under this number. Returns `false` if it is something
    /// else, and `piece` holds garbage. The pieces of each lane are opened in the order of their numbers.
    #[must_use]
    fn open(&self, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool;
}

/// Keys that protect nothing: each side trusts any peer that the transport lets in. The number goes with what
/// is sealed, so that mistakes in the order are found.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Plain {
    /// Whether messages pass through the sealing too.
    pub encryption: bool,
}

impl Plain {
    const EXCHANGE: &[u8] = &[0];

    /// Returns keys that messages pass through too, or not.
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
