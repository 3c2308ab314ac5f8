//! A server's lines, read by a client.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::answer_lines(bytes));
