//! Signal masks where the system has no signals: there is nothing to block.

use std::process::Command;

/// The signals that a thread blocks: none.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalMask;

impl SignalMask {
    /// Returns the mask that the program would have on this thread.
    #[must_use]
    pub fn of_program() -> Self {
        Self
    }

    /// Does nothing.
    pub fn inherited_by(self, _command: &mut Command) {}
}

/// Returns `None`: no thread has another mask.
#[must_use]
pub fn programs_mask_elsewhere() -> Option<SignalMask> {
    None
}

/// Does nothing.
pub(crate) fn keep_programs_mask(_mask: SignalMask) {}

/// A guard that blocks nothing.
pub(crate) struct Blocking;

impl Blocking {
    pub(crate) fn begin() -> Self {
        Self
    }
}
