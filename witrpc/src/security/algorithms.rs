//! The algorithms under the key exchange, all of them of the crate `ring`.

use std::sync::Mutex;

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use witrpc_rt::lock;

/// The algorithms of `ring`, with X25519, which `snow` does not take from `ring` itself.
pub struct Algorithms;

impl CryptoResolver for Algorithms {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        RingResolver.resolve_rng()
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::<Ephemeral>::default()),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        RingResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        RingResolver.resolve_cipher(choice)
    }
}

const KEY_LEN: usize = 32;

/// A key of one exchange, used once and never shown.
#[derive(Default)]
struct Ephemeral {
    private: Mutex<Option<EphemeralPrivateKey>>,
    public: [u8; KEY_LEN],
}

impl Dh for Ephemeral {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        KEY_LEN
    }

    fn priv_len(&self) -> usize {
        KEY_LEN
    }

    /// Does nothing: keys are generated here and never come from elsewhere.
    fn set(&mut self, _privkey: &[u8]) {
        unreachable!("the pattern has no static keys");
    }

    fn generate(&mut self, _rng: &mut dyn Random) -> Result<(), Error> {
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new());
        let private = private.map_err(|_| Error::Rng)?;
        let public = private.compute_public_key().map_err(|_| Error::Dh)?;
        self.public.copy_from_slice(public.as_ref());
        self.private = Mutex::new(Some(private));
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        unreachable!("the pattern has no static keys");
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let private = lock(&self.private).take();
        let theirs = UnparsedPublicKey::new(&X25519, pubkey.get(..KEY_LEN).ok_or(Error::Dh)?);
        // This refuses a peer's key that would give the same secret with any key of this side.
        agree_ephemeral(private.ok_or(Error::Dh)?, &theirs, |secret| {
            out[..KEY_LEN].copy_from_slice(secret);
        })
        .map_err(|_| Error::Dh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Box<dyn Dh> {
        let mut key = Algorithms.resolve_dh(&DHChoice::Curve25519).unwrap();
        key.generate(&mut *Algorithms.resolve_rng().unwrap()).unwrap();
        key
    }

    #[test]
    fn both_sides_agree_once() {
        let (one, other) = (key(), key());
        let (mut first, mut second) = ([0; KEY_LEN], [1; KEY_LEN]);
        one.dh(other.pubkey(), &mut first).unwrap();
        other.dh(one.pubkey(), &mut second).unwrap();
        assert_eq!(first, second);
        assert_ne!(one.pubkey(), other.pubkey());
        assert!(one.dh(other.pubkey(), &mut first).is_err(), "it is gone");
    }

    #[test]
    fn a_key_that_makes_every_secret_the_same_is_refused() {
        for weak in [[0; KEY_LEN], std::array::from_fn(|i| u8::from(i == 0))] {
            assert!(key().dh(&weak, &mut [0; KEY_LEN]).is_err());
        }
        assert!(key().dh(&[9; 31], &mut [0; KEY_LEN]).is_err());
    }
}
