//! Peers that break the rules.

pub mod mischief;
pub mod peers;
pub mod relay;
pub mod scribbler;
pub mod socket;
