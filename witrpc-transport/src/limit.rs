//! The limit of a wait.

use std::time::{Duration, Instant};

/// The limit of a wait. A relative limit becomes an instant at the first clock read. A caller that is answered
/// while it spins never reads the clock. A transport reads a limit by its methods.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Limit {
    /// As long as the peer lives.
    Never,
    /// For this long, from the first clock read.
    Within(Duration),
    /// Until this instant.
    At(Instant),
}

impl Limit {
    /// Returns the instant, fixed at the first call, or `None` for [`Limit::Never`].
    pub fn instant(&mut self) -> Option<Instant> {
        match *self {
            Limit::Never => None,
            Limit::At(at) => Some(at),
            Limit::Within(time) => match Instant::now().checked_add(time) {
                Some(at) => {
                    *self = Limit::At(at);
                    Some(at)
                }
                None => {
                    *self = Limit::Never;
                    None
                }
            },
        }
    }

    /// Returns whether the limit is over. Reads the clock unless it is [`Limit::Never`].
    pub fn has_passed(&mut self) -> bool {
        self.instant().is_some_and(|at| Instant::now() >= at)
    }
}
