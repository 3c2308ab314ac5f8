//! Programs that show witrpc at work: see `src/bin`. What several of them share is here.

#![forbid(unsafe_code)]

pub mod calculator;
pub mod floor;
pub mod fractal;
mod outcome;

pub use outcome::exit_code;
