//! How one side wakes the other.

#[doc(hidden)]
pub mod epoch;
pub(crate) mod park;
pub(crate) mod spin;
pub(crate) mod wake;
