//! What the peers that run on tokio share.

use std::os::fd::AsFd;

use rustix::io::ioctl_fionbio;
use tokio::runtime::{Builder, Runtime};

/// One thread: faster here than several, for one client and for many.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Makes a socket ready for tokio.
pub(crate) fn nonblocking<S: AsFd>(socket: S) -> S {
    ioctl_fionbio(&socket, true).expect("a socket");
    socket
}
