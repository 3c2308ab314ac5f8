//! The keys of a session, and their renewal.
//!
//! Lanes finish out of order, so each sealed piece has a number, which is its nonce. The upper bits are the
//! lane, and the lower bits count the pieces sealed on that lane. Both sides count by themselves, so no number
//! is sent.
//!
//! AES-GCM keeps its security margin for about 2³⁶ blocks under one key. So a lane moves on to a new
//! key every 2¹⁴ ([`EPOCH_SHIFT`]) pieces. The epoch is part of a piece's number, so nothing has to be
//! negotiated, and no lane waits for another. The keys of all lanes begin with the session's, and each
//! follows from the one before by the framework's `REKEY`. So no number is ever used twice under a key.
//!
//! The sealed bytes equal those of a stateless transport of `snow`. But `snow` copies each piece, both
//! ways; here it is done in place, by the same `ring`.

use std::sync::{Mutex, OnceLock};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use snow::HandshakeState;
use witrpc_rt::lock;
use witrpc_transport::{COUNTER_BITS, Keys, TAG_LEN};
use zeroize::Zeroizing;

/// The logarithm of how many pieces of a lane are sealed with one key. With 64 KiB each and the maximum
/// number of lanes, all lanes together stay at 2³⁶ blocks.
const EPOCH_SHIFT: u32 = 14;

const LANES: usize = 1 << (u64::BITS - COUNTER_BITS);

/// The keys with which one side seals and opens.
pub struct SessionKeys {
    seals: RenewedKey,
    opens: RenewedKey,
}

impl SessionKeys {
    /// Takes the keys that a finished handshake has made.
    pub fn new(mut handshake: HandshakeState) -> Self {
        assert!(handshake.is_handshake_finished(), "only then there are keys");
        let (of_initiator, of_responder) = handshake.dangerously_get_raw_split();
        let [of_initiator, of_responder] =
            [of_initiator, of_responder].map(|key| RenewedKey::new(&Zeroizing::new(key)));
        if handshake.is_initiator() {
            Self { seals: of_initiator, opens: of_responder }
        } else {
            Self { seals: of_responder, opens: of_initiator }
        }
    }
}

impl Keys for SessionKeys {
    /// Seals a piece in place. A lane's numbers must rise.
    fn seal(&self, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self.seals.at(number, |key| seal(key, number, piece));
        tag.expect("the numbers of a lane rise")
    }

    /// Opens in place what was sealed under this number. Returns whether it is authentic.
    fn open(&self, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        self.opens.at(number, |key| open(key, number, piece, tag)).unwrap_or(false)
    }
}

const KEY_LEN: usize = 32;

/// Returns the nonce, in the framework's form for AES-GCM.
pub fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn seal(key: &LessSafeKey, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN] {
    let tag = key.seal_in_place_separate_tag(nonce(number), Aad::empty(), piece);
    let tag = tag.expect("a piece is shorter than the algorithm allows");
    *tag.as_ref().first_chunk().expect("a tag of AES-GCM is as long as that")
}

fn open(key: &LessSafeKey, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
    key.open_in_place_separate_tag(nonce(number), Aad::empty(), Tag::from(tag), piece, 0..).is_ok()
}

/// The keys of one direction. Which one applies depends on how far the number's lane has advanced.
struct RenewedKey {
    /// The first key of all lanes.
    first: LessSafeKey,
    /// For each lane that has advanced further, its present key. Only the thread that has the lane
    /// locks it, so that no thread waits.
    later: OnceLock<Box<[Mutex<Option<Later>>]>>,
}

struct Later {
    epoch: u64,
    key: LessSafeKey,
}

impl RenewedKey {
    fn new(first: &[u8; KEY_LEN]) -> Self {
        Self { first: expanded(first), later: OnceLock::new() }
    }

    /// Calls `with` with the key for a number. Returns `None` if the lane has advanced past it.
    fn at<R>(&self, number: u64, with: impl FnOnce(&LessSafeKey) -> R) -> Option<R> {
        let epoch = (number & ((1 << COUNTER_BITS) - 1)) >> EPOCH_SHIFT;
        if epoch == 0 {
            return Some(with(&self.first));
        }
        let lanes = self.later.get_or_init(|| (0..LANES).map(|_| Mutex::default()).collect());
        let lane = &lanes[(number >> COUNTER_BITS) as usize];
        let mut slot = lock(lane);
        let later = slot.get_or_insert_with(|| Later { epoch: 1, key: next(&self.first) });
        if later.epoch > epoch {
            return None;
        }
        while later.epoch < epoch {
            *later = Later { epoch: later.epoch + 1, key: next(&later.key) };
        }
        Some(with(&later.key))
    }
}

/// Returns the next key, which the framework makes of zeros sealed under the last number.
fn next(key: &LessSafeKey) -> LessSafeKey {
    let mut next = Zeroizing::new([0; KEY_LEN]);
    seal(key, u64::MAX, &mut *next);
    expanded(&next)
}

/// Returns the key of these bytes.
pub fn expanded(key: &[u8; KEY_LEN]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("it is as long as a key"))
}

#[cfg(test)]
mod tests {
    use snow::params::CipherChoice;
    use snow::resolvers::{CryptoResolver, RingResolver};
    use snow::types::Cipher;

    use super::*;

    const PIECES_PER_KEY: u64 = 1 << EPOCH_SHIFT;

    fn key() -> RenewedKey {
        RenewedKey::new(&[7; KEY_LEN])
    }

    fn sealed(key: &RenewedKey, number: u64) -> ([u8; 5], [u8; TAG_LEN]) {
        let mut piece = *b"hello";
        let tag = key.at(number, |key| seal(key, number, &mut piece)).unwrap();
        (piece, tag)
    }

    fn opens(key: &RenewedKey, number: u64, (mut piece, tag): ([u8; 5], [u8; TAG_LEN])) -> bool {
        key.at(number, |key| open(key, number, &mut piece, tag)) == Some(true) && &piece == b"hello"
    }

    /// Returns the framework's own cipher.
    fn cipher() -> Box<dyn Cipher> {
        let mut cipher = RingResolver.resolve_cipher(&CipherChoice::AESGCM).unwrap();
        cipher.set(&[7; KEY_LEN]);
        cipher
    }

    fn sealed_by(cipher: &dyn Cipher, number: u64) -> ([u8; 5], [u8; TAG_LEN]) {
        let mut sealed = [0; 21];
        assert_eq!(cipher.encrypt(number, &[], b"hello", &mut sealed), 21);
        (*sealed.first_chunk().unwrap(), *sealed.last_chunk().unwrap())
    }

    #[test]
    fn every_lane_goes_on_to_new_keys_by_itself() {
        let (sender, receiver) = (key(), key());
        let lane = |lane: u64, count: u64| lane << COUNTER_BITS | count;
        // The result without renewal.
        let mut plain = cipher();
        for count in [0, 1, PIECES_PER_KEY - 1] {
            assert_eq!(sealed(&sender, lane(5, count)), sealed_by(&*plain, lane(5, count)));
        }
        for epoch in 1..4 {
            plain.rekey();
            let number = lane(5, epoch * PIECES_PER_KEY);
            let piece = sealed(&sender, number);
            assert_eq!(piece, sealed_by(&*plain, number), "the keys are the framework's");
            assert!(opens(&receiver, number, piece));
            let quiet = lane(6, epoch);
            assert!(opens(&receiver, quiet, sealed(&sender, quiet)), "with its first key");
        }
    }

    #[test]
    fn what_is_past_does_not_open_again() {
        let (sender, receiver) = (key(), key());
        let (early, late) = (PIECES_PER_KEY, 2 * PIECES_PER_KEY);
        let piece = sealed(&sender, early);
        assert!(opens(&receiver, early, piece));
        assert!(opens(&receiver, late, sealed(&sender, late)));
        assert!(!opens(&receiver, early, piece));
    }

    #[test]
    fn nothing_opens_under_another_number_or_changed() {
        let (piece, tag) = sealed(&key(), 3);
        assert!(opens(&key(), 3, (piece, tag)));
        assert!(!opens(&key(), 4, (piece, tag)));
        let flipped = |mut bytes: [u8; TAG_LEN]| {
            bytes[9] ^= 4;
            bytes
        };
        assert!(!opens(&key(), 3, (piece, flipped(tag))));
        assert!(!opens(&key(), 3, (*b"hullo", tag)));
    }
}
