//! Clients that outlive their server.
//!
//! A client whose server has died reports that from every call, until it is connected anew. That is
//! right for a program that has something better to do than to wait. One that wants to go on with the
//! next server says so when it connects:
//!
//! ```
//! use witrpc::{Mmf, Reconnect, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Stock {
//!     #[wit(idempotent)]
//!     fn pieces(&self, article: u64) -> u64;
//!     fn take(&self, article: u64, pieces: u64) -> Result<(), String>;
//! }
//! # struct Shelf;
//! # impl Stock for Shelf {
//! #     fn pieces(&self, _article: u64) -> u64 {
//! #         7
//! #     }
//! #     fn take(&self, _article: u64, _pieces: u64) -> Result<(), String> {
//! #         Ok(())
//! #     }
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = Mmf::unguessable();
//! # let serve = || WitServer::builder().listen(place.clone()).service(StockServer::new(Shelf)).start();
//! let server = serve()?;
//! let stock = StockClient::builder(place.name())
//!     .reconnect(Reconnect::new().after_shutdown(true))
//!     .connect()?;
//! assert_eq!(stock.pieces(1)?, 7);
//!
//! drop(server);
//! let next = serve()?;
//! assert_eq!(stock.pieces(1)?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes of a call
//!
//! - One that is made while there is no server waits for the next, for as long as its time lasts.
//! - One that was in flight may have run. It is made again by itself only if that does no harm: if it
//!   had not been sent whole, or if its method is `#[wit(idempotent)]`. `take` above would end with
//!   [`CallError::PeerDied`](crate::CallError::PeerDied), and its caller decides.
//!
//! So mark what may run twice, and only that: reading, setting to a value, deleting by a key.
//!
//! # What becomes of streams and subscriptions
//!
//! A stream ends with an error; whoever wants the rest asks for it, from where it ended. A
//! subscription is renewed, and says by an item of its own that something may have been missed:
//! see [`streams_and_events`](super::streams_and_events).
//!
//! # What is not followed
//!
//! An end that was meant: the client's own [`disconnect`](crate::Connection::disconnect), the
//! server's of this client, and, unless asked for as above, the shutdown of a server. A call that a
//! server did not answer before it shut down in good order did not run, so it is made again, whatever
//! its method. A next server
//! of another [version](super::versions) is refused as at the first connection, for good.
//! [`Reconnect`](crate::Reconnect) has the details: pauses, when to give up, a callback for each
//! change.
