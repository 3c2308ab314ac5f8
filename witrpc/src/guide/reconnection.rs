//! Clients that outlive their server.
//!
//! When its server has died, every call of a client reports that until the client connects again.
//! That suits a program that does not want to wait. A program that wants to continue with the next
//! server asks for reconnection when it connects:
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
//! # Calls
//!
//! - A call that is made while there is no server waits for the next server, until its time is
//!   over.
//! - A call that was in flight may have run. The client makes it again only if that does no harm:
//!   if the call had not been sent completely, or if its method is `#[wit(idempotent)]`. `take` above
//!   would end with [`CallError::PeerDied`](crate::CallError::PeerDied), and its caller decides.
//!
//! So mark only methods that may run twice: reading, setting to a value, deleting by a key.
//!
//! # Streams and subscriptions
//!
//! A stream ends with an error; a caller that wants the rest asks for it, from where the stream
//! ended. The client renews a subscription, and an extra item says that events may have been
//! missed: see [`streams_and_events`](super::streams_and_events).
//!
//! # When the client does not reconnect
//!
//! A client does not reconnect after an intended end:
//!
//! - the client called its own [`disconnect`](crate::Connection::disconnect);
//! - the server disconnected this client;
//! - the server shut down, unless the client asked to follow shutdowns, as above.
//!
//! A call that a server did not answer before its graceful shutdown did not run, so the client
//! makes it again, whatever its method. If the next server has an incompatible
//! [version](super::versions), the client stops reconnecting for good.
//! [`Reconnect`](crate::Reconnect) has the details: back-off, when to give up, a callback for each
//! change.
