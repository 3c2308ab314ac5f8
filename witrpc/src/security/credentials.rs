//! What a client presents to a server.

#[cfg(feature = "security")]
use std::error::Error;
use std::fmt;
#[cfg(feature = "security")]
use std::sync::Arc;

use witrpc_transport::{Demands, Initiator};

use crate::error::ConnectError;

use super::demands::compare;
#[cfg(feature = "security")]
use super::token::AccessToken;

/// What a client presents at one connect: part of a [`ConnectConfig`](crate::transport::ConnectConfig).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    #[cfg(feature = "security")]
    pub(super) token: Option<AccessToken>,
    encryption: bool,
}

impl Credentials {
    /// Returns whether the server must know a token of this client.
    #[must_use]
    pub fn has_token(&self) -> bool {
        #[cfg(feature = "security")]
        return self.token.is_some();
        #[cfg(not(feature = "security"))]
        false
    }

    /// Returns whether messages must be encrypted.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.encryption
    }

    /// Checks that a server requires the same.
    ///
    /// # Errors
    ///
    /// The error that the client receives.
    pub fn check(&self, server: Demands) -> Result<(), ConnectError> {
        compare(server, Initiator::demands(self))
    }
}

/// Where a client gets its token.
#[derive(Clone, Default)]
pub enum TokenSource {
    /// The client has no token.
    #[default]
    None,
    #[cfg(feature = "security")]
    Fixed(AccessToken),
    /// Called at each connect.
    #[cfg(feature = "security")]
    Provider(Arc<Provider>),
}

/// A function that returns the token for one connect.
#[cfg(feature = "security")]
pub type Provider = dyn Fn() -> Result<AccessToken, Box<dyn Error + Send + Sync>> + Send + Sync;

impl TokenSource {
    /// Returns the credentials for a connect that begins now.
    pub fn credentials(&self, encryption: bool) -> Result<Credentials, ConnectError> {
        #[cfg(not(feature = "security"))]
        return Ok(Credentials { encryption });
        #[cfg(feature = "security")]
        let token = match self {
            Self::None => None,
            Self::Fixed(token) => Some(token.clone()),
            Self::Provider(provider) => {
                Some(provider().map_err(|source| ConnectError::NoToken { source })?)
            }
        };
        #[cfg(feature = "security")]
        Ok(Credentials { token, encryption })
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            #[cfg(feature = "security")]
            Self::Fixed(_) => "fixed",
            #[cfg(feature = "security")]
            Self::Provider(_) => "provided",
        })
    }
}

#[cfg(all(test, feature = "security"))]
mod tests {
    use std::sync::atomic::AtomicU8;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn a_provider_is_asked_at_each_connect() {
        let asked = AtomicU8::new(0);
        let source = TokenSource::Provider(Arc::new(move || match asked.fetch_add(1, Relaxed) {
            0 => Err("the vault is locked".into()),
            count => Ok(AccessToken::new([count; 16])?),
        }));
        let error = source.credentials(false).unwrap_err();
        assert!(error.to_string().contains("the vault is locked"), "{error}");
        for count in 1..3 {
            let credentials = source.credentials(true).unwrap();
            assert!(credentials.has_token() && credentials.encrypts());
            assert_eq!(credentials.token, Some(AccessToken::new([count; 16]).unwrap()));
        }
        assert_eq!(format!("{source:?}"), "provided");
    }
}
