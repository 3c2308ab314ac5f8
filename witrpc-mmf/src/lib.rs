//! The shared-memory channel of `witrpc`. It carries messages as bytes between two processes of one
//! machine, and knows nothing of methods.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may start threads"))]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "witrpc needs 64-bit addresses: build for a 64-bit target, such as x86_64-unknown-linux-gnu"
);

#[cfg(all(target_pointer_width = "64", not(target_os = "linux")))]
compile_error!(
    "named shared memory (witrpc-mmf) is supported on 64-bit Linux only, 5.1 or later: elsewhere, turn off the feature \
     `mmf` of witrpc, and `worker` and `portable`, which turn it on, as in `default-features = false, features = \
     [\"json\", \"messagepack\", \"security\"]`"
);

// Each item is left out elsewhere, so that the error above is the only one.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod client;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod error;
#[cfg(all(any(test, fuzzing), target_os = "linux", target_pointer_width = "64"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod hostile;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod link;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod memory;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod name;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod portable;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod rendezvous;
#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod sanitized;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod seam;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod server;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod sys;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod wakeup;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use crate::{
    client::{Client, ClientOptions, SendState},
    error::{BindError, ConnectError, DirectoryError},
    memory::layout::INLINE_LEN,
    name::{Name, NameError},
    portable::Backend,
    rendezvous::{ConnectLimit, Inquired, Interrupt, Place},
    rendezvous::{DeadName, dead_names, inquire, live_names, remove_dead_names},
    seam::{bind, connect},
    server::{Connection, Scanner, Server, ServerOptions},
    sys::fork::{Descriptor, Origin},
    sys::inspection::forbid_inspection,
};

// For tests and fuzz targets, which look at single parts.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[doc(hidden)]
pub use crate::{
    link::lease::MAX_LEASES_OF_A_MESSAGE,
    link::{lease, line, release},
    memory::{arena, copy, words},
    rendezvous::MAX_REPORT_LEN,
    wakeup::epoch,
};
