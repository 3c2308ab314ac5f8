//! Which means of the system a connection stands on, and what is different between them.
//!
//! The engines ([`client`](crate::client), [`server`](crate::server)) and everything that stands in
//! the regions are the same. What a backend decides is in few places:
//!
//! | | native | portable |
//! |---|---|---|
//! | making and opening a region | `memfd.rs` | `shm.rs` |
//! | a caller that waits for its answer | `futex.rs` | [`Backoff`] |
//! | the client's link thread | its doorbell | a look now and then, while somebody waits |
//! | idle threads of the server | `server/doorbells.rs` | `server/lookout.rs` |
//!
//! The [rendezvous](crate::rendezvous) and the link are the same socket in both, and its hang-up is
//! how either side learns of the other's death.

use std::time::{Duration, Instant};
use std::{fmt, thread};

/// The means of the system that a connection stands on. Server and client must have chosen the same
/// one: a client that finds another refuses to connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Sealed anonymous memory, futexes and doorbells: Linux only. Nothing is left behind by a crash,
    /// waiting costs nothing, and a hostile peer can neither change nor cut off what it shares.
    #[default]
    Native,
    /// Named memory of the crate `shared_memory`, and looking again after a while instead of being
    /// woken. It is what other systems than Linux are meant to get. So far it **builds, and has been
    /// tested, on Linux only**.
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
    Portable,
}

impl Backend {
    /// How a server announces it.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Native => 0,
            Self::Portable => 1,
        }
    }

    /// What a server has announced.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        [Self::Native, Self::Portable].into_iter().find(|backend| backend.code() == code)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Portable => "portable",
        })
    }
}

/// Sleeping where nobody wakes: for longer each time, so that what comes soon is found soon and what
/// does not come costs little.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
}

impl Backoff {
    /// The first sleep; the system makes some 50 µs of it.
    pub const SHORTEST: Duration = Duration::from_micros(5);
    /// The longest one.
    pub const LONGEST: Duration = Duration::from_millis(1);

    pub fn new() -> Self {
        Self { next: Self::SHORTEST }
    }

    /// How long to sleep now.
    pub fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(Self::LONGEST);
        now
    }

    /// Whether the sleeps have become as long as they get.
    pub fn is_at_longest(&self) -> bool {
        self.next == Self::LONGEST
    }

    /// Sleeps, until `until` at the latest.
    pub fn sleep(&mut self, until: Option<Instant>) {
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        thread::sleep(self.next().min(left.unwrap_or(Duration::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_unknown_ones_are_not_guessed() {
        for backend in [Backend::Native, Backend::Portable] {
            assert_eq!(Backend::from_code(backend.code()), Some(backend));
        }
        assert_eq!(Backend::from_code(2), None);
    }

    #[test]
    fn sleeps_grow_to_the_longest_and_no_further() {
        let mut backoff = Backoff::new();
        let sleeps: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(sleeps.is_sorted());
        assert_eq!((sleeps[0], sleeps[19]), (Backoff::SHORTEST, Backoff::LONGEST));
        assert!(backoff.is_at_longest());
    }
}
