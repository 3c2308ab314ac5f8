//! The tests that every transport of `witrpc` passes.
//!
//! They are generic over the transport, and see it only as an application does: by services, clients and their
//! errors. A crate with a transport of its own runs them in its tests, by [`conformance_tests`]. The transports
//! of `witrpc` itself pass them too.
//!
//! The argument is a function that returns a new place: one endpoint for the server, one for its clients. Both
//! may be the same. The server's endpoint has the [`Limits`] that the test asks for.
//!
//! # Examples
//!
//! ```
//! use witrpc::{Endpoint, InProcess};
//! use witrpc_conformance::{Limits, MeetingPlace};
//!
//! fn place(limits: Limits) -> MeetingPlace {
//!     let place = InProcess::new()
//!         .lanes(limits.lanes)
//!         .max_clients(limits.max_clients)
//!         .max_message_size(limits.max_message_size);
//!     MeetingPlace::new(Endpoint::from(place))
//! }
//!
//! mod in_process {
//!     // A test for each case.
//!     witrpc_conformance::conformance_tests!(super::place);
//! }
//! # witrpc_conformance::cases::calls::calls_of_every_size_return_what_they_were_given(&place);
//! ```
//!
//! # What they show
//!
//! - [calls](cases::calls): sizes, errors, panics, shared bytes, many threads, more calls than lanes, limits;
//! - [streams](cases::streams): streams and uploads, both ways of waiting, back-pressure, and what is dropped;
//! - [events](cases::events): order, several subscribers;
//! - [cancels](cases::cancels): cancellation and deadlines, and that their lanes come back;
//! - [ends](cases::ends): clients and servers that leave, shut down, come back, refuse or are not there;
//! - [security](cases::security): tokens, identities, encryption, and each difference between two sides.
//!
//! # What they leave to a transport's own tests
//!
//! What a hostile or dying peer does to the transport's own format: half a message, a length over the limit, a
//! peer that stops reading or that floods. `tests/tests/socket_input.rs` in the repository does this for
//! `witrpc::Socket`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(clippy::missing_panics_doc, reason = "a test panics when it fails")]

pub mod cases;
mod fixture;
mod macros;
mod service;

use witrpc::Endpoint;

pub use witrpc::queue::Limits;

/// A place where a server and its clients meet.
#[derive(Clone, Debug)]
pub struct MeetingPlace {
    server: Endpoint,
    /// Where the server listens too.
    others: Vec<Endpoint>,
    client: Endpoint,
}

impl MeetingPlace {
    /// Returns a place with one endpoint for both sides.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { server: endpoint.clone(), others: Vec::new(), client: endpoint }
    }

    /// Returns a place with one endpoint for the server, and another for its clients.
    #[must_use]
    pub fn of_two(server: Endpoint, client: Endpoint) -> Self {
        Self { server, others: Vec::new(), client }
    }

    /// Returns the same place, whose server [listens](witrpc::WitServerBuilder::also_listen) at another endpoint too.
    #[must_use]
    pub fn also_listening(mut self, endpoint: Endpoint) -> Self {
        self.others.push(endpoint);
        self
    }
}

/// A function that returns a new place, whose server has these limits.
pub type MakePlace<'a> = &'a dyn Fn(Limits) -> MeetingPlace;
