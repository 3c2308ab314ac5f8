//! How one side of a connection wakes the other.
//!
//! # Two fences
//!
//! Every protocol by which a thread may sleep has this form, within one process or between two. Each of
//! two threads stores a word of its own, executes `fence(SeqCst)`, and then looks at the word of the other:
//!
//! - The sleeper says that it sleeps, fences, and looks once more at what it waits for. It sleeps only if
//!   that is not there.
//! - The waker publishes, fences, and looks whether the other sleeps. If so, it wakes the other.
//!
//! Why no wake-up is lost: one of the two fences comes first. What was stored before it is seen by the look
//! behind the other fence. If the sleeper's comes first, the waker finds the sleeper and wakes it. If the
//! waker's comes first, the sleeper's last look finds what was published. Both may happen, so a wake-up may
//! be superfluous.
//!
//! Modules that use this form say what is stored and what is looked at, and name it *two fences*.

#[doc(hidden)]
pub mod epoch;
pub mod futex;
pub mod park;
pub mod spin;
pub mod wake;
