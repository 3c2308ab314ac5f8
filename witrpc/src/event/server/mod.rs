//! The server's side of events: a service emits, the [`hub`] finds the clients that want the event, and
//! each [`client`] has its own queue, which it empties by pulling.
//!
//! # Invariants
//!
//! 1. Only an emitter waits for a client, if its event says so, and only within the event's time.
//! 2. What is kept for a client is bounded. Dropped events are counted, and the client learns the
//!    count.
//! 3. No code of the user's runs under a lock of this folder.

pub mod client;
pub mod hub;
pub mod no_events;
