//! What the tests of witrpc share: real processes that play a role, and a service to call.
//!
//! A test starts [`process::Child`]ren, each of which runs the program `witrpc-peer` in a
//! [`roles::Role`], and talks to them over pipes. It waits only for lines that report what has
//! happened. [`fixture`] puts a server of the [`basic`] service into such a process, or into the
//! test's own process over the in-process transport, so that one test body runs over both.

#![deny(unsafe_code)]

pub mod adversary;
pub mod basic;
pub mod cancellation;
pub mod event_service;
pub mod fixture;
pub mod process;
pub mod random_calls;
pub mod regions;
pub mod resources;
pub mod restriction;
pub mod roles;
pub mod second;
pub mod shared_memory;
pub mod skip;
pub mod spans;
pub mod streams;
pub mod watchdog;

/// The portable backend.
// SAFETY: the tests' regions have unguessable names, and only programs of these tests use them.
#[expect(unsafe_code, reason = "the promise that this backend takes")]
pub const PORTABLE: witrpc::Backend =
    witrpc::Backend::Portable(unsafe { witrpc::TrustedPeer::assume() });

/// All codecs.
pub const CODECS: [witrpc::Codec; 3] =
    [witrpc::Codec::Postcard, witrpc::Codec::Json, witrpc::Codec::MessagePack];
