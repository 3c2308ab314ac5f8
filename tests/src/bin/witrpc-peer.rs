//! The other process of a test: plays the role that it is given.

fn main() {
    witrpc_tests::roles::main();
}
