//! Runs the seeds of the fuzz targets, and some noise, on every commit. There is no fuzzer, so
//! these runs find only known cases.

use std::fs;
use std::path::Path;

/// Runs the seeds of a target, and scripts of a fixed generator.
fn run(target: &str, fuzzed: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut seeds = 0;
    // Absent in a packaged crate.
    for seed in fs::read_dir(&corpus).into_iter().flatten() {
        fuzzed(&fs::read(seed.expect("it can be read").path()).expect("it can be read"));
        seeds += 1;
    }
    assert!(seeds > 0 || !corpus.exists(), "{corpus:?} holds no seeds");
    let mut state = 1_u64;
    for round in 0..2_000 {
        let noise: Vec<u8> = (0..round % 300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        fuzzed(&noise);
    }
}

#[test]
fn records() {
    run("records", super::records);
}

#[test]
fn handshakes() {
    run("handshake", super::handshake);
}

#[test]
fn block_descriptors() {
    run("block_descriptor", super::block_descriptor);
}

#[test]
fn release_tables() {
    run("release_table", super::release_table);
}

#[test]
fn request_lines() {
    run("request_lines", super::request_lines);
}

#[test]
fn answer_lines() {
    run("answer_lines", super::answer_lines);
}

#[test]
fn sealed_request_lines() {
    run("sealed_request_lines", super::sealed_request_lines);
}

#[test]
fn sealed_answer_lines() {
    run("sealed_answer_lines", super::sealed_answer_lines);
}
