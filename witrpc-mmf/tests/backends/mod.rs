//! The two backends, over which tests run alike.

/// Makes a test of each function, over each backend.
macro_rules! over_each_backend {
    ($($test:ident)*) => {
        mod native {
            $(#[test] fn $test() { super::$test(witrpc_mmf::Backend::Native); })*
        }
        mod portable {
            $(#[test] fn $test() { super::$test(witrpc_mmf::Backend::Portable); })*
        }
    };
}
