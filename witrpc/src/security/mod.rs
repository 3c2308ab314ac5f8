//! Who gets in: the secrets that both sides know, and what each asks of the other.
//!
//! [`token`] is one secret, [`tokens`] all that a server accepts. [`guard`] is what a server asks of
//! its clients, [`credentials`] what a client brings.

mod credentials;
mod guard;
mod token;
mod tokens;

pub use credentials::Credentials;
pub(crate) use credentials::TokenSource;
pub(crate) use guard::Accepted;
pub use guard::{Clearance, Guard};
pub use token::{AccessToken, TokenError};
pub use tokens::AccessTokens;
