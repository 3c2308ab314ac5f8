//! Typed services between the programs of one machine, over named shared memory.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod wait;
