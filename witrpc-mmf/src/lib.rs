//! The channel under `witrpc`: bytes between two processes of one machine, never methods.

#![deny(missing_docs)]
