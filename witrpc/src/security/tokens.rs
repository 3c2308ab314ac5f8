//! The tokens that a server accepts.

use std::fmt;
use std::sync::Arc;

use super::token::{AccessToken, TokenError};

/// The tokens that a server accepts, each with the name of its owner. Methods see that name in
/// [`CallContext::identity`](crate::CallContext::identity).
///
/// # Examples
///
/// ```
/// use witrpc::{AccessToken, AccessTokens};
///
/// let (editor, viewer) = (AccessToken::random(), AccessToken::random());
/// let tokens = AccessTokens::new().allow("editor", editor)?.allow("viewer", viewer.clone())?;
/// assert_eq!(tokens.len(), 2);
/// assert!(tokens.allow("guest", viewer).is_err(), "the token already has an owner");
/// # Ok::<(), witrpc::TokenError>(())
/// ```
#[derive(Clone, Default)]
pub struct AccessTokens(Vec<TokenEntry>);

#[derive(Clone)]
pub struct TokenEntry {
    pub identity: Option<Arc<str>>,
    pub token: AccessToken,
}

impl AccessTokens {
    /// The most tokens that a server accepts at a time. It tries them one after the other, which takes
    /// a few microseconds each.
    pub const MAX_LEN: usize = 64;

    /// Creates an empty set, which admits no client.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts clients with this token too, under this name.
    ///
    /// # Errors
    ///
    /// [`TokenError::Duplicate`]: the token is in the set already. [`TokenError::TooMany`]: there are
    /// [`MAX_LEN`](Self::MAX_LEN) tokens already.
    pub fn allow(
        mut self,
        identity: impl Into<Arc<str>>,
        token: AccessToken,
    ) -> Result<Self, TokenError> {
        if self.0.len() == Self::MAX_LEN {
            return Err(TokenError::TooMany);
        }
        if self.find(&token).is_some() {
            return Err(TokenError::Duplicate);
        }
        self.0.push(TokenEntry { identity: Some(identity.into()), token });
        Ok(self)
    }

    /// Returns the number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no tokens, so that no client is admitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn entries(&self) -> &[TokenEntry] {
        &self.0
    }

    /// Finds the entry of this token. Compares with all of them, wherever it is.
    pub(super) fn find(&self, token: &AccessToken) -> Option<&TokenEntry> {
        self.0
            .iter()
            .fold(None, |found, entry| if entry.token == *token { Some(entry) } else { found })
    }
}

/// Makes a set of one token without an identity.
impl From<AccessToken> for AccessTokens {
    fn from(token: AccessToken) -> Self {
        Self(vec![TokenEntry { identity: None, token }])
    }
}

/// Shows the identities and not the tokens.
impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|entry| &entry.identity)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_of_a_token_is_found_and_no_other_client() {
        let tokens: Vec<_> = (0..3).map(|_| AccessToken::random()).collect();
        let set = AccessTokens::new().allow("one", tokens[0].clone()).unwrap();
        let set = set.allow("two", tokens[1].clone()).unwrap();
        let identity = |token| set.find(token).map(|entry| entry.identity.as_deref());
        assert_eq!(identity(&tokens[0]), Some(Some("one")));
        assert_eq!(identity(&tokens[1]), Some(Some("two")));
        assert_eq!(identity(&tokens[2]), None);
    }

    #[test]
    fn there_is_a_bound() {
        let mut set = AccessTokens::new();
        for number in 0..AccessTokens::MAX_LEN {
            set = set.allow(number.to_string(), AccessToken::random()).unwrap();
        }
        assert_eq!(set.allow("more", AccessToken::random()).unwrap_err(), TokenError::TooMany);
    }

    #[test]
    fn only_identities_are_shown() {
        let token = AccessToken::new([0x61; 20]).unwrap();
        let set = AccessTokens::new().allow("alice", token.clone()).unwrap();
        assert_eq!(format!("{set:?}"), "[Some(\"alice\")]");
        assert_eq!(format!("{:?}", AccessTokens::from(token)), "[None]");
    }
}
