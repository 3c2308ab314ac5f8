//! A release table that the peer fills.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::release_table(bytes));
