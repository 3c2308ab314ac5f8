//! The description of a block on a line.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| witrpc_mmf::fuzzing::block_descriptor(bytes));
