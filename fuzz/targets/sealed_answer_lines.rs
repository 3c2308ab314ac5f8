//! A server's lines, sealed by a server that lies, read by a client.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::sealed_answer_lines(bytes));
