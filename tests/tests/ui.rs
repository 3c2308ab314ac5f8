//! What `#[wit_service]` accepts, and what it says to what it does not.
//!
//! Each file in `ui/fail` is named after one mistake, and the `.stderr` beside it holds what the
//! user reads, to be accepted anew with `TRYBUILD=overwrite`. Half of that is the compiler's own
//! wording, so it holds for the toolchain that CI runs.

#[test]
fn mistakes_are_explained_and_the_rest_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
