//! The keys of a session, and their renewal.
//!
//! Lanes finish out of order, so each piece that is sealed comes with its number, which is its nonce:
//! the lane in the upper bits, how many pieces have been sealed on it in the lower. Both sides count
//! for themselves, so no number travels.
//!
//! AES-GCM stays as safe as it is meant to be for some 2³⁶ blocks under one key. So a lane goes on to
//! a new one every 2¹⁴ ([`EPOCH_SHIFT`]) pieces, which is part of its numbers: nothing has to be agreed
//! on, and no lane waits for another. The keys of all lanes begin with the session's, and follow from
//! each other as the framework says (`REKEY`), so that no number is ever used twice under a key.

use std::sync::{Mutex, OnceLock, PoisonError};

use snow::params::CipherChoice;
use snow::resolvers::{CryptoResolver, RingResolver};
use snow::types::Cipher;
use snow::{Error, HandshakeState, StatelessTransportState};

/// The bits of a number that count; the lane is in those above.
pub(crate) const COUNTER_BITS: u32 = 54;

/// The logarithm of how many pieces of a lane are sealed with one key. With 64 KiB each and the most
/// lanes that there can be, all lanes together stay at 2³⁶ blocks.
const EPOCH_SHIFT: u32 = 14;

const LANES: usize = 1 << (u64::BITS - COUNTER_BITS);

/// What one side seals and opens with.
pub(crate) struct SessionKeys(StatelessTransportState);

impl SessionKeys {
    /// The keys that a finished handshake has made.
    pub(super) fn new(handshake: HandshakeState) -> Self {
        Self(handshake.into_stateless_transport_mode().expect("the handshake is finished"))
    }

    /// Seals a piece of at most 65,519 bytes into the start of `sealed`, which has room for 16 more.
    /// A lane's numbers must rise.
    pub(crate) fn seal(&self, number: u64, piece: &[u8], sealed: &mut [u8]) {
        self.0
            .write_message(number, piece, sealed)
            .expect("it fits, and the number is in use once");
    }

    /// Opens what was sealed under this number into the start of `piece`, which is at least as long.
    pub(crate) fn open(&self, number: u64, sealed: &[u8], piece: &mut [u8]) -> bool {
        self.0.read_message(number, sealed, piece).is_ok()
    }
}

/// A cipher whose key depends on how far the number's lane has come.
pub(super) struct RenewedCipher {
    /// With the first key of all lanes.
    first: Box<dyn Cipher>,
    /// For each lane that has come further, its key by now. Taken by whoever has the lane, so that
    /// nobody waits.
    later: OnceLock<Box<[Mutex<Option<Later>>]>>,
}

struct Later {
    epoch: u64,
    cipher: Box<dyn Cipher>,
}

impl RenewedCipher {
    pub(super) fn new(first: Box<dyn Cipher>) -> Self {
        Self { first, later: OnceLock::new() }
    }

    /// Calls `with` the cipher for a number. `None`: the lane is past it.
    fn at<R>(&self, number: u64, with: impl FnOnce(&dyn Cipher) -> R) -> Option<R> {
        let epoch = (number & ((1 << COUNTER_BITS) - 1)) >> EPOCH_SHIFT;
        if epoch == 0 {
            return Some(with(&*self.first));
        }
        let lanes = self.later.get_or_init(|| (0..LANES).map(|_| Mutex::default()).collect());
        let lane = &lanes[(number >> COUNTER_BITS) as usize];
        let mut slot = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let later = slot.get_or_insert_with(|| self.second());
        if later.epoch > epoch {
            return None;
        }
        while later.epoch < epoch {
            later.cipher.rekey();
            later.epoch += 1;
        }
        Some(with(&*later.cipher))
    }

    /// With the key that follows the first.
    fn second(&self) -> Later {
        let mut key = [0; KEY_LEN + TAG_LEN];
        self.first.encrypt(u64::MAX, &[], &[0; KEY_LEN], &mut key);
        let cipher = RingResolver.resolve_cipher(&CipherChoice::AESGCM);
        let mut cipher = cipher.expect("it is where the first came from");
        cipher.set(key.first_chunk().expect("the tag stands behind the key"));
        Later { epoch: 1, cipher }
    }
}

const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;

impl Cipher for RenewedCipher {
    fn name(&self) -> &'static str {
        self.first.name()
    }

    fn set(&mut self, key: &[u8; KEY_LEN]) {
        self.first.set(key);
        self.later = OnceLock::new();
    }

    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        self.at(nonce, |cipher| cipher.encrypt(nonce, authtext, plaintext, out))
            .expect("the numbers of a lane rise")
    }

    fn decrypt(
        &self,
        nonce: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        self.at(nonce, |cipher| cipher.decrypt(nonce, authtext, ciphertext, out))
            .unwrap_or(Err(Error::Decrypt))
    }

    fn rekey(&mut self) {
        self.first.rekey();
        self.later = OnceLock::new();
    }
}

#[cfg(test)]
mod tests {
    use super::super::algorithms::Algorithms;
    use super::*;

    const PIECES_PER_KEY: u64 = 1 << EPOCH_SHIFT;

    fn cipher() -> Box<dyn Cipher> {
        let mut cipher = Algorithms.resolve_cipher(&CipherChoice::AESGCM).unwrap();
        cipher.set(&[7; KEY_LEN]);
        cipher
    }

    fn seal(cipher: &dyn Cipher, number: u64) -> [u8; 21] {
        let mut sealed = [0; 21];
        assert_eq!(cipher.encrypt(number, &[], b"hello", &mut sealed), 21);
        sealed
    }

    fn open(cipher: &dyn Cipher, number: u64, sealed: &[u8]) -> bool {
        let mut opened = [0; 21];
        cipher.decrypt(number, &[], sealed, &mut opened).is_ok() && &opened[..5] == b"hello"
    }

    #[test]
    fn every_lane_goes_on_to_new_keys_by_itself() {
        let (sender, receiver) = (cipher(), cipher());
        let lane = |lane: u64, count: u64| lane << COUNTER_BITS | count;
        // As it would be without renewal.
        let mut plain = RingResolver.resolve_cipher(&CipherChoice::AESGCM).unwrap();
        plain.set(&[7; KEY_LEN]);
        for count in [0, 1, PIECES_PER_KEY - 1] {
            assert_eq!(seal(&*sender, lane(5, count)), seal(&*plain, lane(5, count)));
        }
        for epoch in 1..4 {
            plain.rekey();
            let number = lane(5, epoch * PIECES_PER_KEY);
            let sealed = seal(&*sender, number);
            assert_eq!(sealed, seal(&*plain, number), "the keys are the framework's");
            assert!(open(&*receiver, number, &sealed));
            let quiet = lane(6, epoch);
            assert!(open(&*receiver, quiet, &seal(&*sender, quiet)), "with its first key");
        }
    }

    #[test]
    fn what_is_past_does_not_open_again() {
        let (sender, receiver) = (cipher(), cipher());
        let (early, late) = (PIECES_PER_KEY, 2 * PIECES_PER_KEY);
        let sealed = seal(&*sender, early);
        assert!(open(&*receiver, early, &sealed));
        assert!(open(&*receiver, late, &seal(&*sender, late)));
        assert!(!open(&*receiver, early, &sealed));
    }

    #[test]
    fn a_new_key_of_the_whole_begins_anew() {
        let (mut sender, mut receiver) = (cipher(), cipher());
        let number = PIECES_PER_KEY + 1;
        let before = seal(&*sender, number);
        for cipher in [&mut sender, &mut receiver] {
            cipher.rekey();
        }
        assert_ne!(seal(&*sender, number), before);
        assert!(open(&*receiver, number, &seal(&*sender, number)));
    }
}
