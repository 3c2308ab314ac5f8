//! A stranger in a server's handshake.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::handshake(bytes));
