//! What the benchmarks of WitRPC have already: cores, floors, turns and a small executor.
#![allow(dead_code, reason = "the benchmarks use more of it than this program does")]

#[path = "../../witrpc/benches/support/cores.rs"]
pub(crate) mod cores;
#[path = "../../witrpc/benches/support/executor.rs"]
pub(crate) mod executor;
#[path = "../../witrpc/benches/support/floor.rs"]
pub(crate) mod floor;
#[path = "../../witrpc/benches/support/mapping.rs"]
pub(crate) mod mapping;
#[path = "../../witrpc/benches/support/process.rs"]
pub(crate) mod process;
#[path = "../../witrpc/benches/support/race.rs"]
pub(crate) mod race;
#[path = "../../witrpc/benches/support/studio.rs"]
pub(crate) mod studio;
