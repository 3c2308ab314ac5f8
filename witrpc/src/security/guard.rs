//! What a server requires of its clients.

use std::fmt;
#[cfg(feature = "security")]
use std::panic::{AssertUnwindSafe, catch_unwind};

use witrpc_transport::{Clearance, Initiator, Responder};

use crate::error::ConnectError;

use super::credentials::Credentials;
use super::demands::compare;
#[cfg(feature = "security")]
use super::tokens::AccessTokens;

/// What a server requires of its clients before it reads their messages: part of a
/// [`BindConfig`](crate::transport::BindConfig).
///
/// A transport checks each client with it, and passes the resulting [`Clearance`] to the admission in a
/// [`ClientInfo`](witrpc_transport::ClientInfo). A server that requires anything refuses every client
/// without a clearance. So a transport that forgets the check lets no client in.
#[derive(Debug, Default)]
pub struct Guard {
    accepted: Accepted,
    encryption: bool,
}

/// Which tokens a server accepts.
#[derive(Default)]
pub enum Accepted {
    /// It requires no token.
    #[default]
    EveryClient,
    #[cfg(feature = "security")]
    Fixed(AccessTokens),
    /// Called for each client.
    #[cfg(feature = "security")]
    Provider(Box<dyn Fn() -> AccessTokens + Send + Sync>),
}

impl Guard {
    pub(crate) fn new(accepted: Accepted, encryption: bool) -> Self {
        Self { accepted, encryption }
    }

    /// Returns whether clients must have a token.
    #[must_use]
    pub fn asks_for_token(&self) -> bool {
        !matches!(self.accepted, Accepted::EveryClient)
    }

    /// Returns whether messages are encrypted.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.encryption
    }

    /// Returns whether it accepts every client.
    pub(crate) fn is_open(&self) -> bool {
        !self.asks_for_token() && !self.encryption
    }

    /// Checks a client whose credentials are in this process, where no other process can have changed
    /// them. A transport to other processes must not send a token, but must prove that both sides have
    /// it.
    ///
    /// # Errors
    ///
    /// The error that the client receives.
    pub fn check(&self, client: &Credentials) -> Result<Clearance, ConnectError> {
        compare(Responder::demands(self), Initiator::demands(client))?;
        #[cfg(feature = "security")]
        if let Some(token) = &client.token {
            return match self.tokens().find(token) {
                Some(entry) => Ok(Clearance::new(entry.identity.clone())),
                None => Err(ConnectError::TokenRejected),
            };
        }
        Ok(Clearance::default())
    }

    /// Returns the tokens that are accepted now. The list is empty if the provider panics.
    #[cfg(feature = "security")]
    pub(super) fn tokens(&self) -> AccessTokens {
        match &self.accepted {
            Accepted::EveryClient => AccessTokens::new(),
            Accepted::Fixed(tokens) => tokens.clone(),
            Accepted::Provider(provider) => {
                catch_unwind(AssertUnwindSafe(provider)).unwrap_or_default()
            }
        }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryClient => f.write_str("every client"),
            #[cfg(feature = "security")]
            Self::Fixed(tokens) => tokens.fmt(f),
            #[cfg(feature = "security")]
            Self::Provider(_) => f.write_str("provided"),
        }
    }
}

#[cfg(all(test, feature = "security"))]
mod tests {
    use crate::security::{AccessToken, TokenSource};

    use super::*;

    fn client(token: Option<&AccessToken>, encryption: bool) -> Credentials {
        let source = token.cloned().map_or(TokenSource::None, TokenSource::Fixed);
        source.credentials(encryption).unwrap()
    }

    #[test]
    fn both_sides_must_want_the_same() {
        let token = AccessToken::random();
        let open = Guard::default();
        let closed = Guard::new(Accepted::Fixed(token.clone().into()), true);
        assert!(open.is_open() && !closed.is_open());
        assert_eq!(open.check(&client(None, false)).unwrap().identity(), None);
        assert!(closed.check(&client(Some(&token), true)).is_ok());

        type E = ConnectError;
        let refused = |guard: &Guard, client| guard.check(&client).unwrap_err();
        assert!(matches!(refused(&open, client(Some(&token), false)), E::TokenUnexpected));
        assert!(matches!(refused(&open, client(None, true)), E::EncryptionUnavailable));
        assert!(matches!(refused(&closed, client(None, true)), E::TokenRequired));
        assert!(matches!(refused(&closed, client(Some(&token), false)), E::EncryptionRequired));
        let other = AccessToken::random();
        assert!(matches!(refused(&closed, client(Some(&other), true)), E::TokenRejected));
    }

    #[test]
    fn a_provider_that_panics_lets_no_client_in() {
        let guard = Guard::new(Accepted::Provider(Box::new(|| panic!("no file"))), false);
        let refused = guard.check(&client(Some(&AccessToken::random()), false)).unwrap_err();
        assert!(matches!(refused, ConnectError::TokenRejected), "{refused}");
    }
}
