//! A secret that server and client share.

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret that server and client share. Without it, a client is refused, and a server is not
/// accepted.
///
/// The token itself never leaves the process, and no message reveals it. But an attacker that observes
/// a handshake can test guesses against it afterwards. So a token must be random:
/// [`random`](Self::random) creates one. Clones share the bytes, which are wiped when the last is
/// dropped. `Debug` does not show them, and there is no `Display`.
///
/// # Examples
///
/// ```
/// use witrpc::AccessToken;
///
/// let token = AccessToken::random();
/// // Pass it to a child process over standard input, and not in the arguments, which all can see.
/// let text = token.to_hex();
/// assert_eq!(AccessToken::from_hex(&text)?, token);
///
/// assert!(AccessToken::new(b"12345").is_err());
/// # Ok::<(), witrpc::TokenError>(())
/// ```
#[derive(Clone)]
pub struct AccessToken(Arc<Zeroizing<Vec<u8>>>);

impl AccessToken {
    /// The shortest token, in bytes.
    pub const MIN_LEN: usize = 16;

    /// The longest token, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// The length of a [`random`](Self::random) token, in bytes.
    const RANDOM_LEN: usize = 32;

    /// Returns a token of 32 random bytes.
    ///
    /// # Panics
    ///
    /// Panics if the system gives this process no random bytes.
    #[must_use]
    pub fn random() -> Self {
        Self::try_random().expect("the system gives this process random bytes")
    }

    /// Returns a token of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRandomBytes`]: the system gives this process none, as in a sandbox that refuses
    /// the system call `getrandom`.
    pub fn try_random() -> Result<Self, TokenError> {
        let mut bytes = Zeroizing::new(vec![0; Self::RANDOM_LEN]);
        SystemRandom::new().fill(&mut bytes).map_err(|_| TokenError::NoRandomBytes)?;
        Ok(Self(Arc::new(bytes)))
    }

    /// Creates a token of these bytes, from a file or a vault. The caller must wipe its own copy.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: there are fewer than [`MIN_LEN`](Self::MIN_LEN) bytes, which could be guessed,
    /// or more than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, TokenError> {
        let bytes = bytes.as_ref();
        match bytes.len() {
            len @ ..Self::MIN_LEN => Err(TokenError::TooShort { len }),
            len if len > Self::MAX_LEN => Err(TokenError::TooLong { len }),
            _ => Ok(Self(Arc::new(Zeroizing::new(bytes.to_vec())))),
        }
    }

    /// Reads a token that [`to_hex`](Self::to_hex) has written.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: the text has characters that are not hexadecimal digits, or an odd number of digits. Or
    /// the bytes are too few or too many, as for [`new`](Self::new).
    pub fn from_hex(text: &str) -> Result<Self, TokenError> {
        // Reserved at once: a buffer that grows would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
        for (index, pair) in text.as_bytes().chunks(2).enumerate() {
            let digit = |at: usize| {
                let digit = pair.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                digit.ok_or(TokenError::NotHex { position: 2 * index + at })
            };
            // Two digits make a byte.
            bytes.push((digit(0)? << 4 | digit(1)?) as u8);
        }
        Self::new(&*bytes)
    }

    /// Returns the token in hexadecimal digits, to pass it to the other side. The string is wiped when
    /// it is dropped; copies of it are not.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * self.0.len()));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 0xf] {
                text.push(char::from_digit(digit.into(), 16).expect("it is below 16"));
            }
        }
        text
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Takes the same time for all bytes of the same length.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// Why bytes cannot be a token, or a token cannot be accepted beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It could be guessed.
    #[error(
        "the access token has {len} bytes and could be guessed: give at least {min}, or take \
         AccessToken::random()", min = AccessToken::MIN_LEN
    )]
    TooShort {
        /// Its length in bytes.
        len: usize,
    },
    /// It is longer than useful.
    #[error("the access token has {len} bytes: give at most {max}", max = AccessToken::MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The text is not made of pairs of hexadecimal digits.
    #[error(
        "the access token is not hexadecimal: character {position} is missing or not a digit; \
         give all of what AccessToken::to_hex has written"
    )]
    NotHex {
        /// The position of the wrong character, from 0.
        position: usize,
    },
    /// The system gives this process no random bytes.
    #[error(
        "the system gives this process no random bytes for an access token: allow the system call \
         getrandom in its sandbox, or make the token elsewhere"
    )]
    NoRandomBytes,
    /// The same token would stand for two identities.
    #[error("two identities have the same access token: give each a different one")]
    Duplicate,
    /// There are too many tokens. A server tries each token that it accepts.
    #[error(
        "a server accepts at most {max} access tokens at a time: give several clients the same \
         one, or use another server", max = super::AccessTokens::MAX_LEN
    )]
    TooMany,
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn random_tokens_differ_and_are_long() {
        let (one, other) = (AccessToken::random(), AccessToken::random());
        assert_eq!(one.as_bytes().len(), 32);
        assert_ne!(one, other);
        assert_eq!(one, one.clone());
    }

    #[test]
    fn the_length_is_checked_and_the_error_says_how() {
        for len in [0, 1, 15, 1025] {
            let error = AccessToken::new(vec![7; len]).unwrap_err();
            assert!(error.to_string().contains(&len.to_string()), "{error}");
        }
        for len in [16, 1024] {
            assert_eq!(AccessToken::new(vec![7; len]).unwrap().as_bytes(), vec![7; len]);
        }
    }

    #[test]
    fn a_token_survives_its_text() {
        let token = AccessToken::random();
        assert_eq!(AccessToken::from_hex(&token.to_hex()).unwrap(), token);
        let all: Vec<u8> = (0..=255).collect();
        let token = AccessToken::new(all).unwrap();
        assert_eq!(AccessToken::from_hex(&token.to_hex().to_uppercase()).unwrap(), token);
    }

    #[test]
    fn other_text_is_refused_with_the_place() {
        let good = "00112233445566778899aabbccddeeff";
        for (text, position) in
            [("x0", 0), (&good[1..], 31), ("0011é", 4), (&good.replace('f', "g"), 30)]
        {
            assert_eq!(AccessToken::from_hex(text), Err(TokenError::NotHex { position }), "{text}");
        }
        assert_eq!(AccessToken::from_hex("0011"), Err(TokenError::TooShort { len: 2 }));
    }

    #[test]
    fn what_is_shown_holds_nothing_of_the_bytes() {
        let token = AccessToken::new(b"an open secret of some length").unwrap();
        assert_eq!(format!("{token:?} {token:#?}"), "AccessToken(..) AccessToken(..)");
        assert_eq!(
            format!("{:?}", AccessToken::from_hex("736563726574")),
            "Err(TooShort { len: 6 })"
        );
    }
    #[test]
    fn the_bytes_are_wiped_with_the_last_clone() {
        let memory = File::open("/proc/self/mem").unwrap();
        let held = |at: usize| {
            let mut bytes = [0; 512];
            // The freed memory may be unmapped.
            memory.read_exact_at(&mut bytes, at as u64).map(|()| bytes).unwrap_or([0; 512])
        };
        let token = AccessToken::new([0x5a; 512]).unwrap();
        let at = token.as_bytes().as_ptr().addr();
        let clone = token.clone();
        drop(token);
        assert_eq!(held(at), [0x5a; 512]);
        drop(clone);
        // Other code may have reused the memory by now.
        let is_left = held(at).windows(16).any(|part| part == [0x5a; 16]);
        assert!(!is_left, "the token is still there");
    }
}
