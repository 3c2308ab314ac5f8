//! The channel under `witrpc`: bytes between two processes of one machine, never methods.

#![deny(missing_docs)]

pub mod arena;
pub mod copy;
pub mod release;
pub mod words;
