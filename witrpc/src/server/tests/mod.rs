//! Servers over the in-process transport, called by a client written by hand.

mod by_hand;
mod calls;
pub mod eavesdropper;
mod gate;
mod jobs;
mod life;
mod probe;
mod start;
mod workers;
