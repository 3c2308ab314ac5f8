//! The choice of a backend, and how a server announces it.

use std::fmt;

#[cfg(feature = "portable")]
use witrpc_transport::TrustedPeer;

use super::Portable;

/// The operating system's facilities that a connection uses. Server and client must have chosen the
/// same: a client that finds another refuses to connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Sealed anonymous memory, futexes and doorbells, on Linux only. A crash leaves nothing behind
    /// and waiting uses no processor time. A hostile peer can neither change nor shorten the memory
    /// of this process.
    #[default]
    Native,
    /// Named memory of the crate `shared_memory`, and polling instead of wake-ups, with the feature
    /// `portable`. It is meant for systems other than Linux. So far it **builds, and has been
    /// tested, on Linux only**.
    ///
    /// - **It does not protect against hostile peers.** The memory is not sealed: a process of the
    ///   same user that misbehaves can overwrite this process's region, also while safe code holds a
    ///   slice of it. It can also shorten it, which kills this process at its next access. So it takes
    ///   the promise that no process does, which is `unsafe` to make.
    /// - A waiter polls at growing intervals, in the end every millisecond. A parked call takes up
    ///   to about a millisecond longer. An idle server wakes a thousand times a second; a client
    ///   does so only while it waits.
    /// - Server and client must run as the same user.
    /// - The names of regions are unguessable, and removed as soon as both sides have opened them.
    ///   A region stays in the system (on Linux as `/dev/shm/wit…`), until it is removed by hand or
    ///   the machine restarts, in two cases. A side is killed in the handshake *after* it created
    ///   its region and *before* it has sent the name; or both sides are killed before the region
    ///   was opened. The window is little longer than the allocation, a fraction of a millisecond
    ///   for each MiB.
    /// - A forked child keeps the descriptors of the regions, without using them, until it ends or
    ///   calls `exec`.
    #[cfg(feature = "portable")]
    Portable(TrustedPeer),
}

impl Backend {
    /// Returns a [`Portable`] if this is the portable backend.
    pub(crate) fn portable(self) -> Option<Portable> {
        match self {
            Self::Native => None,
            #[cfg(feature = "portable")]
            Self::Portable(promise) => Some(Portable(promise)),
        }
    }

    /// Returns the code that a server announces.
    pub(crate) fn code(self) -> BackendCode {
        BackendCode(match self {
            Self::Native => 0,
            #[cfg(feature = "portable")]
            Self::Portable(_) => 1,
        })
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().name())
    }
}

/// A backend as a server announces it, which may be one that this build lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendCode(u32);

impl BackendCode {
    /// The names, by code.
    const NAMES: [&str; 2] = ["native", "portable"];

    pub(crate) fn to_u32(self) -> u32 {
        self.0
    }

    /// Returns the backend of a code, or `None` if there is none.
    pub(crate) fn from_u32(code: u32) -> Option<Self> {
        ((code as usize) < Self::NAMES.len()).then_some(Self(code))
    }

    /// Returns the name for error messages.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self.0 as usize]
    }
}

/// The portable backend, for tests.
#[cfg(all(test, feature = "portable"))]
// SAFETY: the regions of the tests have unguessable names, and are used by processes of this crate alone.
pub(crate) const PORTABLE: Backend = Backend::Portable(unsafe { TrustedPeer::assume() });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_unknown_ones_are_not_guessed() {
        for (code, backend) in [(0, Backend::Native), (1, PORTABLE)] {
            assert_eq!(BackendCode::from_u32(code), Some(backend.code()));
            assert_eq!(backend.code().to_u32(), code);
        }
        assert_eq!(BackendCode::from_u32(2), None);
    }
}
