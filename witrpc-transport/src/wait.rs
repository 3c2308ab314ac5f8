//! How a thread waits for the other process.

/// How a thread waits for the other process: it spins, which answers within a microsecond and
/// costs a core, or it parks, which costs nothing and some 25 µs to wake up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitPolicy {
    /// Spins while that has lately paid, then parks.
    #[default]
    Adaptive,
    /// Spins long before it parks, whatever the outcome: for a core of one's own.
    Spin,
    /// Parks at once.
    Park,
}
