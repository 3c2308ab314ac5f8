//! What a server sends over a socket, before and after it has let a client in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_tests::adversary::socket::from_server(bytes));
