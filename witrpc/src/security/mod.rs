//! Authentication and encryption: the secrets that both sides know, and what each requires of the
//! other.
//!
//! `token` is one secret, `tokens` are all that a server accepts. [`guard`] is what a server
//! requires of its clients, [`credentials`] what a client presents, and [`demands`] compares what both
//! require. `exchange` makes the keys of a connection from the secret, without showing it, and
//! `keys` seals with them. Both use `algorithms`. Sides that require nothing have the exchange of [`open`].
//!
//! Without the feature `security` there are only sides that require nothing.

#[cfg(feature = "security")]
mod algorithms;
mod credentials;
mod demands;
#[cfg(feature = "security")]
mod exchange;
mod guard;
#[cfg(feature = "security")]
mod keys;
mod open;
mod parties;
#[cfg(feature = "security")]
mod token;
#[cfg(feature = "security")]
mod tokens;

pub use credentials::{Credentials, TokenSource};
#[cfg(feature = "mmf")]
pub use demands::compare;
#[cfg(feature = "security")]
pub use exchange::{HandshakeExchange, respond};
pub use guard::{Accepted, Guard};
#[cfg(feature = "security")]
pub use token::{AccessToken, TokenError};
#[cfg(feature = "security")]
pub use tokens::AccessTokens;
