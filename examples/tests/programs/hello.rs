//! `hello`: the first program of the README, which runs when it is pasted.

use std::thread;
use std::time::{Duration, Instant};

use crate::running::run;

const HELLO: &str = env!("CARGO_BIN_EXE_hello");

#[test]
fn the_readme_begins_with_this_program() {
    let readme = include_str!("../../../README.md");
    let (_, listing) = readme.split_once("```rust,no_run\n").expect("it has a listing");
    let (listing, _) = listing.split_once("```").expect("the listing has an end");
    let program = include_str!("../../src/bin/hello.rs");
    let (_, program) = program.split_once("#![forbid(unsafe_code)]\n\n").expect("it has a head");
    assert_eq!(listing, program);
}

/// The name is that of the README, so another run of this test may hold it for a moment.
#[test]
fn it_prints_both_answers() {
    let start = Instant::now();
    loop {
        let output = run(HELLO, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        if errors.contains("NameInUse") && start.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(10));
            continue;
        }
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{errors}");
        assert_eq!(words, "Ok(42), Err(App(\"1 / 0 has no result\"))\n");
        return;
    }
}
