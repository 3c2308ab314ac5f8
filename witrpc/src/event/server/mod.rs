//! Events, seen from the server: a service emits, the [`hub`] finds the clients that want them, and
//! each [`client`] has a queue of its own that it empties by pulling.
//!
//! # Invariants
//!
//! 1. Nobody waits for a client but an emitter whose event says so, and that within its time.
//! 2. What is kept for a client has a bound; what is dropped is counted and told to it.
//! 3. No code of the user's runs under a lock of this folder.

pub mod client;
pub mod hub;
