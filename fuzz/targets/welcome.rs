//! A server's welcome, its contract among it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::adversary::peers::welcome(bytes));
