//! The kinds of channel over which tests run: each backend, in clear and sealed.

use witrpc_mmf::Backend;
use witrpc_transport::Plain;

/// The backend of a channel, and whether its messages are sealed.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) backend: Backend,
    pub(crate) keys: Plain,
}

/// Makes a test of each function for each kind of channel.
macro_rules! each_way {
    ($($test:ident)*) => {
        each_way! { native Native false: $($test)* }
        each_way! { portable Portable false: $($test)* }
        each_way! { native_sealed Native true: $($test)* }
        each_way! { portable_sealed Portable true: $($test)* }
    };
    ($way:ident $backend:ident $encryption:literal: $($test:ident)*) => {
        mod $way {
            const WAY: super::Way = super::Way {
                backend: witrpc_mmf::Backend::$backend,
                keys: witrpc_transport::Plain::new($encryption),
            };
            $(#[test] fn $test() { super::$test(WAY); })*
        }
    };
}
