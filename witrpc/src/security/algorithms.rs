//! The algorithms under the key exchange, all of them of the crate `ring`.
//!
//! `snow` has adapters for `ring` too. But they leave X25519 out, and their feature also builds the hashes of
//! ten more crates, which are not used. The tests compare these adapters with those.

use std::sync::Mutex;

use ring::aead::{Aad, LessSafeKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use witrpc_rt::lock;
use witrpc_transport::TAG_LEN;

use super::keys::{expanded, nonce};

/// The algorithms of `ring`.
pub struct Algorithms;

impl CryptoResolver for Algorithms {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(RandomBytes(SystemRandom::new())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::<Ephemeral>::default()),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        match choice {
            HashChoice::SHA256 => Some(Box::<Sha256>::default()),
            _ => None,
        }
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        match choice {
            CipherChoice::AESGCM => Some(Box::<AesGcm>::default()),
            _ => None,
        }
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

/// The random bytes of the system.
struct RandomBytes(SystemRandom);

impl Random for RandomBytes {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill(bytes).map_err(|_| Error::Rng)
    }
}

struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Hash for Sha256 {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        digest::SHA256.block_len()
    }

    fn hash_len(&self) -> usize {
        digest::SHA256.output_len()
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        out[..self.hash_len()].copy_from_slice(self.0.clone().finish().as_ref());
    }
}

/// AES-256-GCM. The framework sets a key before it uses it, and counts the nonces of that key.
#[derive(Default)]
struct AesGcm(Option<LessSafeKey>);

impl AesGcm {
    fn key(&self) -> &LessSafeKey {
        self.0.as_ref().expect("the framework sets a key first")
    }
}

impl Cipher for AesGcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }

    fn set(&mut self, key: &[u8; KEY_LEN]) {
        self.0 = Some(expanded(key));
    }

    fn encrypt(&self, number: u64, authenticated: &[u8], plain: &[u8], out: &mut [u8]) -> usize {
        let (sealed, rest) = out.split_at_mut(plain.len());
        sealed.copy_from_slice(plain);
        let authenticated = Aad::from(authenticated);
        let tag = self.key().seal_in_place_separate_tag(nonce(number), authenticated, sealed);
        let tag = tag.expect("a handshake's message is shorter than the algorithm allows");
        rest[..TAG_LEN].copy_from_slice(tag.as_ref());
        plain.len() + TAG_LEN
    }

    fn decrypt(
        &self,
        number: u64,
        authenticated: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let mut opened = sealed.to_vec();
        let authenticated = Aad::from(authenticated);
        let opened = self.key().open_in_place(nonce(number), authenticated, &mut opened);
        let opened = opened.map_err(|_| Error::Decrypt)?;
        out.get_mut(..opened.len()).ok_or(Error::Decrypt)?.copy_from_slice(opened);
        Ok(opened.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use snow::resolvers::RingResolver;

    use super::*;

    fn ciphers(key: &[u8; KEY_LEN]) -> [Box<dyn Cipher>; 2] {
        let choice = CipherChoice::AESGCM;
        let both = [Algorithms.resolve_cipher(&choice), RingResolver.resolve_cipher(&choice)];
        both.map(|cipher| {
            let mut cipher = cipher.unwrap();
            cipher.set(key);
            cipher
        })
    }

    proptest! {
        #[test]
        fn the_cipher_is_that_of_the_framework(
            key in any::<[u8; KEY_LEN]>(),
            number in any::<u64>(),
            authenticated in vec(any::<u8>(), 0..80),
            plain in vec(any::<u8>(), 0..80),
            flipped in any::<proptest::sample::Index>(),
        ) {
            let [mut ours, mut theirs] = ciphers(&key);
            prop_assert_eq!(ours.name(), theirs.name());
            for _ in 0..2 {
                let mut sealed = vec![0; plain.len() + TAG_LEN];
                prop_assert_eq!(
                    ours.encrypt(number, &authenticated, &plain, &mut sealed),
                    sealed.len()
                );
                let mut opened = vec![0; plain.len()];
                let len = theirs.decrypt(number, &authenticated, &sealed, &mut sealed.clone());
                prop_assert_eq!(len.ok(), Some(plain.len()));
                let len = ours.decrypt(number, &authenticated, &sealed, &mut opened);
                prop_assert_eq!(len.ok(), Some(plain.len()));
                prop_assert_eq!(&opened, &plain);

                sealed[flipped.index(plain.len() + TAG_LEN)] ^= 1;
                prop_assert!(ours.decrypt(number, &authenticated, &sealed, &mut opened).is_err());
                ours.rekey();
                theirs.rekey();
            }
        }

        #[test]
        fn the_hash_is_that_of_the_framework(
            parts in vec(vec(any::<u8>(), 0..200), 0..4),
            key in any::<[u8; KEY_LEN]>(),
        ) {
            let choice = HashChoice::SHA256;
            let both = [Algorithms.resolve_hash(&choice), RingResolver.resolve_hash(&choice)];
            let [ours, theirs] = both.map(|hash| {
                let mut hash = hash.unwrap();
                let lens = (hash.name(), hash.block_len(), hash.hash_len());
                let mut out = [[0; 32]; 4];
                hash.reset();
                parts.iter().for_each(|part| hash.input(part));
                hash.result(&mut out[0]);
                hash.hmac(&key, &parts.concat(), &mut out[1]);
                let [_, _, second, third] = &mut out;
                hash.hkdf(&key, &key, 2, second, third, &mut []);
                (lens, out)
            });
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn a_plain_text_that_is_longer_than_its_place_is_refused() {
        let [ours, _] = ciphers(&[7; KEY_LEN]);
        let mut sealed = [0; 5 + TAG_LEN];
        ours.encrypt(0, &[], b"hello", &mut sealed);
        assert!(ours.decrypt(0, &[], &sealed, &mut [0; 4]).is_err());
        assert!(ours.decrypt(0, &[], &sealed[..TAG_LEN - 1], &mut [0; 9]).is_err());
    }

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
