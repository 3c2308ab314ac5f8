//! The choice of a backend, and how a server announces it.

use std::fmt;

use super::Portable;

/// The means of the system that a connection stands on. Server and client must have chosen the same
/// one: a client that finds another refuses to connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Sealed anonymous memory, futexes and doorbells: Linux only. Nothing is left behind by a crash,
    /// waiting costs nothing, and a hostile peer can neither change nor cut off what it shares.
    #[default]
    Native = 0,
    /// Named memory of the crate `shared_memory`, and looking again after a while instead of being
    /// woken, with the feature `portable`. It is what other systems than Linux are meant to get. So far
    /// it **builds, and has been tested, on Linux only**.
    ///
    /// - **It makes no promise against hostile peers.** The memory is not sealed: a process of the
    ///   same user that misbehaves can overwrite this one's region, or shorten it, which kills this
    ///   process at its next access. Use it only between programs that trust each other.
    /// - Whoever waits wakes up at growing distances, at last every millisecond: a parked call takes
    ///   up to about a millisecond longer, a server with nothing to do wakes a thousand times a
    ///   second, a client only while it waits.
    /// - Server and client must run as the same user.
    /// - The names of regions are unguessable and gone as soon as both sides have opened them. If a
    ///   side is killed in the handshake *after* creating its region and *before* it has sent the
    ///   name, or both sides before the region was opened, the region stays in the system (on Linux
    ///   as `/dev/shm/wit…`) until it is removed by hand or the machine restarts. That is the time
    ///   that the allocation takes, a fraction of a millisecond a MiB, and little more.
    /// - A forked child keeps the regions' descriptors, which it never uses, until it ends or calls
    ///   `exec`.
    #[cfg(feature = "portable")]
    Portable = 1,
}

impl Backend {
    /// Returns the sign of the portable backend if it is this one.
    pub(crate) fn portable(self) -> Option<Portable> {
        match self {
            Self::Native => None,
            #[cfg(feature = "portable")]
            Self::Portable => Some(Portable()),
        }
    }

    /// Returns what a server announces.
    pub(crate) fn code(self) -> BackendCode {
        BackendCode(self as u32)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().name())
    }
}

/// A backend as a server announces it: also one that this build is without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendCode(u32);

impl BackendCode {
    /// By code.
    const NAMES: [&str; 2] = ["native", "portable"];

    pub(crate) fn to_u32(self) -> u32 {
        self.0
    }

    /// `None`: no backend has this code.
    pub(crate) fn from_u32(code: u32) -> Option<Self> {
        ((code as usize) < Self::NAMES.len()).then_some(Self(code))
    }

    /// Returns what errors call it.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_unknown_ones_are_not_guessed() {
        for (code, backend) in [(0, Backend::Native), (1, Backend::Portable)] {
            assert_eq!(BackendCode::from_u32(code), Some(backend.code()));
            assert_eq!(backend.code().to_u32(), code);
        }
        assert_eq!(BackendCode::from_u32(2), None);
    }
}
