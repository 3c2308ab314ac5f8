//! Who can call, what they can do, and what protects against whom.
//!
//! # Without any option
//!
//! A name is one user's own: it stands in a directory that nobody else may enter, and both sides ask
//! the kernel who the other is. So whoever runs as your user, and knows the name, can call; nobody
//! else can (root apart).
//!
//! For a process that a program starts for itself, a [worker](super::workers) keeps out the rest of
//! the user's programs too: its name cannot be guessed and it is let in alone. To do the same by hand,
//! take [`Mmf::unguessable`](crate::Mmf::unguessable) and a token.
//!
//! # Tokens
//!
//! A server with a token lets in only clients that have it:
//!
//! ```
//! use witrpc::{AccessToken, AccessTokens, CallContext, ConnectError, Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Door {
//!     fn who_am_i(&self, #[wit(ctx)] cx: &CallContext) -> Option<String>;
//! }
//!
//! struct Porter;
//!
//! impl Door for Porter {
//!     fn who_am_i(&self, cx: &CallContext) -> Option<String> {
//!         cx.identity().map(str::to_owned)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (place, token) = (Mmf::unguessable(), AccessToken::random());
//! let server = WitServer::builder()
//!     .listen(place.clone())
//!     .service(DoorServer::new(Porter))
//!     .access_tokens(AccessTokens::new().allow("editor", token.clone())?)
//!     .start()?;
//!
//! let door = DoorClient::builder(place.clone()).access_token(token).connect()?;
//! assert_eq!(door.who_am_i()?.as_deref(), Some("editor"));
//!
//! let stranger = DoorClient::builder(place.clone()).access_token(AccessToken::random());
//! assert!(matches!(stranger.connect(), Err(ConnectError::TokenRejected)));
//! assert!(matches!(DoorClient::connect(place), Err(ConnectError::TokenRequired)));
//! # Ok(())
//! # }
//! ```
//!
//! The token does not cross: each side proves to the other that it has it, so a client with a token
//! is not taken in by a server without. Hand a token to another process over a pipe or in a file of
//! your user's, not in its arguments, which everybody can list.
//!
//! # Encryption
//!
//! With `.encryption(true)` on server and client, arguments and results stand sealed in the shared
//! memory. That is for machines on which somebody may get to see that memory and not the processes.
//! Take a token too: keys that are agreed on without one can be agreed on by anybody in between. One
//! side alone is refused when the client connects, with an error that says which. Nothing is lent on
//! such a connection, so that [`Shared`](crate::Shared) values are copied.
//!
//! # Other users
//!
//! [`Mmf::allow_uid`](crate::Mmf::allow_uid) lets the programs of another user in, on purpose: both
//! sides name the directory and each other's user. Everybody can knock then, so give such a server a
//! token.
//!
//! # What holds against whom
//!
//! - *Another user's program* cannot reach the name, nor what crosses under it.
//! - *A program of your user* that is not let in learns nothing, and can hold nothing up: it is not
//!   given memory before it has shown its token.
//! - *A client that is let in* may call every method with any arguments that decode. It cannot read
//!   another client's data, nor stop, crash or fill up the server, beyond the
//!   [limits](super::choosing_size) that it has. What the peer has written is copied before it is
//!   looked at, and each length and index in it is checked.
//! - *A server* that a client connects to can answer wrongly, or not at all; it cannot do more.
//! - *Root, and a debugger of your user,* can do anything.
//!
//! The handlers are yours: an argument that decodes may still be nonsense, such as a path that leads
//! elsewhere.
