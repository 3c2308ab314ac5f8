//! A client's connection: reaches a server, agrees on a contract, and reconnects.
//!
//! [`builder`] collects the options, [`connect`] reaches the server, and [`negotiation`] compares
//! contracts over the [`handshake`]. All clones of a client share a [`handle`]. Its [`link_slot`] holds
//! the [`link`] that calls use, which [`reconnect`] replaces. An [`additional_service`] uses the
//! connection of another client, and the [`registry`] finds it. A [`ping`] tells a server that hangs from
//! one that takes long.
//!
//! Calls, streams and events over a connection are in [`call`](crate::call), [`stream`](crate::stream)
//! and [`event`](crate::event).

pub mod additional_service;
pub mod builder;
pub mod connect;
pub mod handle;
pub mod handshake;
pub mod link;
pub mod link_slot;
pub mod negotiation;
pub mod ping;
pub mod reconnect;
pub mod registry;
