//! What the tests of witrpc share: real processes that play a role, and a service to call.
//!
//! A test starts [`process::Child`]ren, each of which runs the program `witrpc-peer` in a
//! [`roles::Role`], and talks to them over pipes: every wait is for a line that says what has
//! happened. [`site`] puts a server of the [`workshop`] into such a process, or into the test's own
//! one over the in-process transport, so that one test body runs over both.

#![forbid(unsafe_code)]

pub mod annex;
pub mod conveyor;
pub mod errands;
pub mod gallery;
pub mod mischief;
pub mod nasty;
pub mod newsroom;
pub mod process;
pub mod regions;
pub mod relay;
pub mod resources;
pub mod restriction;
pub mod roles;
pub mod scribbler;
pub mod site;
pub mod skip;
pub mod spans;
pub mod vigil;
pub mod watchdog;
pub mod workshop;
