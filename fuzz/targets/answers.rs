//! Answers of a service of nasty types, in both codecs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::nasty::answers(bytes));
