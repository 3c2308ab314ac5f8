//! The key exchange: Noise `NNpsk0`, one message each way.
//!
//! The pre-shared key is made from the token. Sides that encrypt without a token have a public constant. Both sides' ephemeral keys go into the session's keys (forward
//! secrecy): an attacker that learns the token later cannot read earlier messages.
//!
//! A client's message can be read only with the right token. By trying its tokens, the server also identifies
//! the client. The message may be a replay by another process. Only the first record that is sealed with the
//! keys proves that its sender has them.

use std::sync::{Arc, LazyLock};

use ring::hkdf;
use snow::params::NoiseParams;
use snow::{Builder, HandshakeState};
use witrpc_transport::{Clearance, NoRandomBytes};
use zeroize::Zeroizing;

use super::algorithms::Algorithms;
use super::credentials::Credentials;
use super::guard::Guard;
use super::keys::SessionKeys;
use super::token::AccessToken;

static PARAMS: LazyLock<NoiseParams> = LazyLock::new(|| {
    "Noise_NNpsk0_25519_AESGCM_SHA256".parse().expect("it is a protocol of the framework")
});

/// The length of an ephemeral key and a tag.
const MESSAGE_LEN: usize = 48;

/// Separates the keys that are made here from any other use of a token.
const DOMAIN: &[u8] = b"WitRPC access token, version 2";

type Psk = Zeroizing<[u8; 32]>;

/// Returns the key that both sides have before the exchange.
fn psk(token: Option<&AccessToken>) -> Psk {
    // No token is empty.
    let secret = token.map_or(&b""[..], AccessToken::as_bytes);
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, DOMAIN).extract(secret);
    let mut psk = Zeroizing::new([0; 32]);
    let filled =
        pseudorandom.expand(&[b"psk"], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut *psk));
    filled.expect("a key is as long as the hash");
    psk
}

/// Between the building of a handshake and its first message, none of the remaining steps can fail.
const WELL_FORMED: &str = "the pattern has what it needs, and the buffer room for its messages";

fn builder<'a>(prologue: &'a [u8], psk: &'a Psk) -> Builder<'a> {
    let builder = Builder::with_resolver(PARAMS.clone(), Box::new(Algorithms));
    builder.prologue(prologue).and_then(|builder| builder.psk(0, psk)).expect(WELL_FORMED)
}

fn write(handshake: &mut HandshakeState) -> Result<Vec<u8>, NoRandomBytes> {
    let mut message = vec![0; MESSAGE_LEN];
    match handshake.write_message(&[], &mut message) {
        Ok(len) => debug_assert_eq!(len, MESSAGE_LEN),
        Err(snow::Error::Rng) => return Err(NoRandomBytes::new()),
        Err(error) => panic!("{WELL_FORMED}: {error}"),
    }
    Ok(message)
}

/// Reads a message that carries only the exchange.
fn read(handshake: &mut HandshakeState, message: &[u8]) -> Option<()> {
    (handshake.read_message(message, &mut [0; MESSAGE_LEN]).ok()? == 0).then_some(())
}

/// An exchange that a client has begun.
pub struct HandshakeExchange(HandshakeState);

impl HandshakeExchange {
    /// Begins an exchange, and returns the message to send. The exchange fails if the two sides
    /// disagree on `prologue`.
    pub fn begin(
        credentials: &Credentials,
        prologue: &[u8],
    ) -> Result<(Self, Vec<u8>), NoRandomBytes> {
        let psk = psk(credentials.token.as_ref());
        let mut handshake = builder(prologue, &psk).build_initiator().expect(WELL_FORMED);
        let message = write(&mut handshake)?;
        Ok((Self(handshake), message))
    }

    /// Returns the keys, or `None` if `reply` does not answer this message, from a server that has the token.
    pub fn finish(self, reply: &[u8]) -> Option<SessionKeys> {
        let mut handshake = self.0;
        read(&mut handshake, reply)?;
        Some(SessionKeys::new(handshake))
    }
}

/// The server's reply, its keys, and what it knows of the client; `None` if the client has none of the
/// server's tokens.
pub type Replied = Option<(Vec<u8>, SessionKeys, Clearance)>;

/// Replies to a client that has one of the server's tokens.
pub fn respond(guard: &Guard, prologue: &[u8], message: &[u8]) -> Result<Replied, NoRandomBytes> {
    let Some((mut handshake, identity)) = read_by_guard(guard, prologue, message) else {
        return Ok(None);
    };
    let reply = write(&mut handshake)?;
    Ok(Some((reply, SessionKeys::new(handshake), Clearance::new(identity))))
}

/// Reads a client's message with the token that it was made with.
fn read_by_guard(
    guard: &Guard,
    prologue: &[u8],
    message: &[u8],
) -> Option<(HandshakeState, Option<Arc<str>>)> {
    let attempt = |token: Option<&AccessToken>| {
        let psk = psk(token);
        let mut handshake = builder(prologue, &psk).build_responder().expect(WELL_FORMED);
        read(&mut handshake, message)?;
        Some(handshake)
    };
    if !guard.asks_for_token() {
        return Some((attempt(None)?, None));
    }
    let tokens = guard.tokens();
    let mut read = tokens
        .entries()
        .iter()
        .filter_map(|entry| Some((attempt(Some(&entry.token))?, entry.identity.clone())));
    read.next()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use witrpc_transport::Keys;

    use crate::security::{Accepted, AccessTokens, TokenSource};

    use super::*;

    fn client(token: Option<&AccessToken>) -> Credentials {
        let source = token.cloned().map_or(TokenSource::None, TokenSource::Fixed);
        source.credentials(false).unwrap()
    }

    fn guard(tokens: impl Into<AccessTokens>) -> Guard {
        Guard::new(Accepted::Fixed(tokens.into()), false)
    }

    fn meet(client: &Credentials, guard: &Guard) -> Option<(SessionKeys, SessionKeys, Clearance)> {
        let (exchange, message) = HandshakeExchange::begin(client, b"prologue").unwrap();
        let (reply, server, clearance) = respond(guard, b"prologue", &message).unwrap()?;
        Some((exchange.finish(&reply)?, server, clearance))
    }

    fn assert_same(client: &SessionKeys, server: &SessionKeys) {
        for (from, to) in [(client, server), (server, client)] {
            let mut piece = *b"hello";
            let tag = from.seal(7, &mut piece);
            assert_ne!(&piece, b"hello");
            let opened =
                |number, mut piece: [u8; 5]| to.open(number, &mut piece, tag).then_some(piece);
            assert_eq!(opened(7, piece).as_ref(), Some(b"hello"));
            assert_eq!(opened(8, piece), None);
            piece[3] ^= 1;
            assert_eq!(opened(7, piece), None);
        }
    }

    #[test]
    fn two_sides_with_the_same_token_or_without_any_get_the_same_keys() {
        let token = AccessToken::random();
        let (one, other, _) = meet(&client(Some(&token)), &guard(token)).unwrap();
        assert_same(&one, &other);
        let (one, other, clearance) = meet(&client(None), &Guard::default()).unwrap();
        assert_same(&one, &other);
        assert_eq!(clearance.identity(), None);
    }

    #[test]
    fn a_message_is_read_with_its_token_only_and_tells_the_identity() {
        let tokens: Vec<_> = (0..3).map(|_| AccessToken::random()).collect();
        let set = AccessTokens::new().allow("one", tokens[0].clone()).unwrap();
        let guard = guard(set.allow("two", tokens[1].clone()).unwrap());
        for (token, identity) in tokens.iter().zip([Some("one"), Some("two"), None]) {
            let met = meet(&client(Some(token)), &guard);
            assert_eq!(met.as_ref().and_then(|met| met.2.identity()), identity);
            assert_eq!(met.is_some(), identity.is_some());
        }
        assert!(meet(&client(None), &guard).is_none());
    }

    #[test]
    fn what_differs_in_the_clear_or_on_the_way_makes_no_keys() {
        let token = AccessToken::random();
        let (client, guard) = (client(Some(&token)), guard(token));
        let (_, message) = HandshakeExchange::begin(&client, b"prologue").unwrap();
        assert!(respond(&guard, b"prologues", &message).unwrap().is_none());
        for index in [0, 31, 32, 47] {
            let mut changed = message.clone();
            changed[index] ^= 0x40;
            assert!(respond(&guard, b"prologue", &changed).unwrap().is_none(), "byte {index}");
        }
        for cut in [&message[..47], &message[..0], &[message.as_slice(), b"x"].concat()] {
            assert!(respond(&guard, b"prologue", cut).unwrap().is_none());
        }
        let (exchange, _) = HandshakeExchange::begin(&client, b"prologue").unwrap();
        let (reply, ..) = respond(&guard, b"prologue", &message).unwrap().unwrap();
        assert!(exchange.finish(&reply).is_none(), "a reply to another message");
    }

    proptest! {
        /// Tries messages of any length, with a valid beginning or not.
        #[test]
        fn no_message_of_a_stranger_makes_keys(
            message in vec(any::<u8>(), 0..2 * MESSAGE_LEN),
            exact in any::<[u8; 32]>(),
            rest in any::<[u8; 16]>(),
        ) {
            let guards = [Guard::default(), guard(AccessToken::new([7; 32]).unwrap())];
            for message in [message, [&exact[..], &rest].concat()] {
                for guard in &guards {
                    prop_assert!(respond(guard, b"prologue", &message).unwrap().is_none());
                }
                let (exchange, _) = HandshakeExchange::begin(&client(None), b"prologue").unwrap();
                prop_assert!(exchange.finish(&message).is_none());
            }
        }
    }

    /// The key is the same for all sides without a token, in every process.
    #[test]
    fn without_a_token_the_key_is_a_constant_that_no_token_makes() {
        assert_eq!(*psk(None), *psk(None));
        let zeros = AccessToken::new([0; 16]).unwrap();
        assert_ne!(*psk(None), *psk(Some(&zeros)));
        assert_ne!(psk(Some(&zeros))[..16], [0; 16]);
    }
}
