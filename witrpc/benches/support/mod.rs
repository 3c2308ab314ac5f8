//! What the benchmarks share.
//!
//! Every benchmark runs in two processes, each pinned to a core of its own: the one that measures
//! starts a second one of itself as its [`peer`]. What it measures are [`race`]s: rounds in which
//! the typed calls and their [`floor`] take turns, so that a disturbance of the machine meets both.
#![allow(dead_code, reason = "each benchmark is a crate of its own and uses a part of this")]

pub(crate) mod catalogue;
pub(crate) mod cores;
pub(crate) mod executor;
pub(crate) mod floor;
pub(crate) mod mapping;
pub(crate) mod newswire;
pub(crate) mod options;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod quota;
pub(crate) mod race;
pub(crate) mod raw_channel;
pub(crate) mod report;
pub(crate) mod service;
pub(crate) mod socket;
pub(crate) mod studio;
pub(crate) mod ward;
