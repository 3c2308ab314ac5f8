//! A client's lines, read by a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::request_lines(bytes));
