//! The cases, each a function that panics if the transport fails it.
//!
//! [`conformance_tests`](crate::conformance_tests) makes a test of each.

pub mod calls;
pub mod cancels;
pub mod ends;
pub mod events;
pub mod security;
pub mod streams;
