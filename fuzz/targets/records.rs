//! The messages of the handshake, region records among them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::records(bytes));
