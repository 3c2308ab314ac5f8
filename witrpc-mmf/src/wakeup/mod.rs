//! How one side of a connection wakes the other.

#[doc(hidden)]
pub mod epoch;
pub mod futex;
pub mod park;
pub mod spin;
pub mod wake;
