//! Programs that show witrpc at work: see `src/bin`. This library is what several of them share.

#![forbid(unsafe_code)]

pub mod calculator;
pub mod floor;
pub mod fractal;
mod outcome;

pub use outcome::exit_code;
