//! What `#[wit_service]` accepts, and its errors for what it does not.
//!
//! Each file in `ui/fail` is named after one mistake. The `.stderr` file beside it has the errors
//! that the user reads; `TRYBUILD=overwrite` writes it again. Half of that is the compiler's own
//! wording, so these files are compared only under the version that they were made with.

use std::io::Write;
use std::process::Command;

/// The compiler whose errors are in `ui/fail`.
const COMPILER: &str = "1.95";

#[test]
fn what_is_right_compiles_and_runs() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

/// Separate from those that pass: files that only fail are checked at once, instead of one by one.
#[test]
fn mistakes_are_explained() {
    let compiler = compiler();
    if is_of(&compiler, COMPILER) {
        trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
    } else {
        // Not by `println`, whose output is hidden for a test that passes.
        let notice = format!("ui/fail is not compared: made with {COMPILER}, this is {compiler}");
        writeln!(std::io::stderr(), "{notice}").expect("the output is open");
    }
}

#[test]
fn only_releases_of_a_version_are_of_it() {
    assert!(is_of("1.95.0", "1.95") && is_of("1.95.12", "1.95"));
    assert!(!is_of("1.96.0", "1.95") && !is_of("1.9.5", "1.95") && !is_of("1.950.0", "1.95"));
    assert!(!is_of("1.95.0-nightly", "1.95"));
}

/// Returns the version of the compiler that builds the files, as in `1.95.0`.
fn compiler() -> String {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).arg("--version").output().expect("the compiler runs");
    let words = String::from_utf8(output.stdout).expect("its version is text");
    words.split_whitespace().nth(1).expect("the number is the second word").to_owned()
}

/// Returns whether a compiler is a release of a version.
fn is_of(compiler: &str, version: &str) -> bool {
    compiler
        .strip_prefix(version)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
}
