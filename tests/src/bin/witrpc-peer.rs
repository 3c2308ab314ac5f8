//! The other process of a test, which plays the role that the test gives it.

fn main() {
    witrpc_tests::roles::main();
}
