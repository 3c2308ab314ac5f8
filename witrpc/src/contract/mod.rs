//! What a service looks like on the wire, and whether two versions of it fit together.
//!
//! The macro gives a [`descriptor`]; a [`trace`] finds the [`shape`] of each type in it, as one codec
//! has it, and [`check`] what that codec would not give back as it was; together they are a method's
//! [`signature`]. [`compare`] finds the [`ContractDifference`](crate::ContractDifference)s between a client's and its server's.

mod check;
mod compare;
mod descriptor;
mod shape;
mod signature;
mod text;
mod trace;
mod visit;

pub use check::UnverifiedPart;
pub use compare::compare;
pub use descriptor::{ArgumentDescriptor, ArgumentKind, Trace};
pub use descriptor::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
pub use signature::{Contract, Digest, MAX_CONTRACT_LEN, Traced, traced};
pub use trace::{SampleError, register_sample};
pub use trace::{
    Tracer, trace_path, trace_raw, trace_raw_value, trace_result, trace_str, trace_value,
};
pub use visit::trace;
