//! Who gets in: the secrets that both sides know, and what each asks of the other.
//!
//! [`token`] is one secret, [`tokens`] all that a server accepts. [`guard`] is what a server asks of
//! its clients, [`credentials`] what a client brings, and [`demands`] compares what both ask for.
//! [`exchange`] makes the keys of a connection from the secret, without showing it, and [`keys`] seals
//! with them; [`algorithms`] is what both stand on.

mod algorithms;
mod credentials;
mod demands;
mod exchange;
mod guard;
mod keys;
mod parties;
mod token;
mod tokens;

pub use credentials::Credentials;
pub use credentials::TokenSource;
pub use demands::compare;
pub use exchange::{Exchange, respond};
pub use guard::Accepted;
pub use guard::Guard;
pub use keys::{COUNTER_BITS, SessionKeys};
pub use token::{AccessToken, TokenError};
pub use tokens::AccessTokens;
