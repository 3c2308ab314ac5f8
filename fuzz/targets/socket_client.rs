//! What a client sends over a socket, before and after it is let in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::adversary::socket::from_client(bytes));
