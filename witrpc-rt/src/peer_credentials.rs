//! The process at the other end of a Unix socket.

use std::os::fd::{AsFd, AsRawFd};
use std::{io, mem};

/// The identity of a peer, as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process, or 0 if this side's pid namespace does not show it.
    pub pid: u32,
    /// The user it ran as when it connected or listened.
    pub uid: u32,
}

impl PeerCredentials {
    /// Returns the credentials of the peer of a connected Unix socket.
    ///
    /// # Errors
    ///
    /// It is no such socket.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        // Calls libc directly: rustix's type for a pid cannot hold the 0 of another namespace.
        let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut len = mem::size_of_val(&found) as libc::socklen_t;
        // SAFETY: `found` and `len` are valid for writes, and `len` is the size of `found`; any
        // bytes make a valid `ucred`.
        let failed = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut found).cast(),
                &raw mut len,
            )
        };
        if failed != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { pid: u32::try_from(found.pid).unwrap_or(0), uid: found.uid })
    }

    /// Returns whether the peer is this process: a client of its own server.
    #[must_use]
    pub fn is_self(&self) -> bool {
        self.pid == std::process::id()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_peer_of_a_pair_is_this_process() {
        let (near, _far) = UnixStream::pair().unwrap();
        let peer = PeerCredentials::of(&near).unwrap();
        assert!(peer.is_self());
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert!(PeerCredentials::of(std::fs::File::open("/dev/null").unwrap()).is_err());
    }
}
