//! Answers of a service of nasty types, in every codec.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::adversary::peers::answers(bytes));
