//! A client's hello.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::adversary::peers::hello(bytes));
