//! A client's connection: reaching a server, agreeing on a contract, and coming back.
//!
//! [`builder`] collects the options, [`connect`] reaches the server, and [`negotiation`] compares contracts over
//! the [`handshake`]. [`handle`] is what all clones of a client share. Its [`link_slot`] holds the
//! [`link`] that calls go over, which [`reconnect`] replaces. An [`additional_service`] uses the connection of another client,
//! and is found by the [`registry`].
//!
//! What goes over a connection stands in [`call`](crate::call), [`stream`](crate::stream) and
//! [`event`](crate::event).

pub mod additional_service;
pub mod builder;
pub mod connect;
pub mod handle;
pub mod handshake;
pub mod link;
pub mod link_slot;
pub mod negotiation;
pub mod reconnect;
pub mod registry;
