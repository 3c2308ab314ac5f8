//! Authentication and encryption: the secrets that both sides know, and what each requires of the
//! other.
//!
//! [`token`] is one secret, [`tokens`] are all that a server accepts. [`guard`] is what a server
//! requires of its clients, [`credentials`] what a client presents, and [`demands`] compares what both
//! require. [`exchange`] makes the keys of a connection from the secret, without showing it, and
//! [`keys`] seals with them. Both use [`algorithms`].

mod algorithms;
mod credentials;
mod demands;
mod exchange;
mod guard;
mod keys;
mod parties;
mod token;
mod tokens;

pub use credentials::{Credentials, TokenSource};
pub use demands::compare;
pub use exchange::{HandshakeExchange, respond};
pub use guard::{Accepted, Guard};
pub use keys::SessionKeys;
pub use token::{AccessToken, TokenError};
pub use tokens::AccessTokens;
