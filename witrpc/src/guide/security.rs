//! Which programs can call, what they can do, and what protects against which attacker.
//!
//! # Without any option
//!
//! A name belongs to one user: it is in a directory that no other user may enter. Both sides ask
//! the kernel for the other's user. So a program that runs as your user, and knows the name, can
//! call. No other program can (root apart).
//!
//! If a program starts a process for itself, as a [worker](super::workers), it keeps out the user's
//! other programs too. The worker's name cannot be guessed, and it lets in its parent alone. To do
//! the same by hand, use [`Mmf::unguessable`](crate::Mmf::unguessable) and a token.
//!
//! # Tokens
//!
//! Tokens are the authentication of clients: a server with a token lets in only clients that have
//! it:
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
//! The token does not cross: in the handshake each side proves to the other that it has the token.
//! So a client with a token also refuses a server without it. Pass a token to another process over
//! a pipe or in a file of your user, not in its arguments, which every user can list.
//!
//! # Encryption
//!
//! With `.encryption(true)` on server and client, the shared memory contains arguments and results
//! only sealed. Use it on machines where another program may see that memory but not the processes.
//! Use a token too: without one, a relay in between can agree on keys with both sides. If only one
//! side asks for encryption, connecting is an error that says which side. Such a connection lends
//! nothing, so it copies [`Shared`](crate::Shared) values.
//!
//! # Other users
//!
//! [`Mmf::allow_uid`](crate::Mmf::allow_uid) lets the programs of another user in, on purpose: both
//! sides name the directory and each other's user. Then programs of every user can try to connect,
//! so give such a server a token.
//!
//! # What protects against which attacker
//!
//! - *Another user's program* cannot reach the name, nor what crosses under it.
//! - *A program of your user* that is not let in learns nothing, and cannot delay anything. The
//!   server gives it no memory before it has shown its token.
//! - *A client that is let in* may call every method with any arguments that decode. It cannot read
//!   another client's data. Nor can it stop, crash or fill up the server, beyond the
//!   [limits](super::choosing_size) that it has. Each side copies what its peer has written before
//!   it reads it, and checks each length and index in the copy.
//! - *A server* that a client connects to can answer wrongly, or not at all; it cannot do more.
//! - *Root, and a debugger of your user,* can do anything.
//!
//! The handlers are yours: an argument that decodes may still be nonsense, such as a path that
//! leads elsewhere.
