//! The kinds of channel over which tests run: each backend, in clear and sealed.

use witrpc_mmf::Backend;
use witrpc_transport::{Plain, TrustedPeer};

/// The backend of a channel, and whether its messages are sealed.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) backend: Backend,
    pub(crate) keys: Plain,
}

pub(crate) const NATIVE: Backend = Backend::Native;

// SAFETY: the names of the regions are unguessable, and only this program uses them.
pub(crate) const PORTABLE: Backend = Backend::Portable(unsafe { TrustedPeer::assume() });

/// Makes a test of each function for each kind of channel.
macro_rules! each_way {
    ($($test:ident)*) => {
        each_way! { native NATIVE false: $($test)* }
        each_way! { portable PORTABLE false: $($test)* }
        each_way! { native_sealed NATIVE true: $($test)* }
        each_way! { portable_sealed PORTABLE true: $($test)* }
    };
    ($way:ident $backend:ident $encryption:literal: $($test:ident)*) => {
        mod $way {
            const WAY: super::Way = super::Way {
                backend: super::ways::$backend,
                keys: witrpc_transport::Plain::new($encryption),
            };
            $(#[test] fn $test() { super::$test(WAY); })*
        }
    };
}
