//! The ways in which a thread waits for the other process.

/// The way in which a thread waits for the other process. A thread that spins answers within a microsecond and
/// costs a core. A thread that parks costs nothing and takes some 25 µs to wake up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitPolicy {
    /// Spins while that has lately paid, then parks. A thread that spins for more than a few microseconds
    /// yields now and then, for a peer on the same processor or for other threads that spin. Within a quota of
    /// one processor, such as that of a container, it parks at once: two sides that spin would use the quota
    /// up.
    #[default]
    Adaptive,
    /// Spins long before it parks, whatever the outcome: for a dedicated core.
    Spin,
    /// Parks at once.
    Park,
}
