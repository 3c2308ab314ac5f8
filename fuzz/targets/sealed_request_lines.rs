//! A client's lines, sealed by a client that lies, read by a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::sealed_request_lines(bytes));
