//! The form of a service on the wire, and whether two versions of it are compatible.
//!
//! The macro gives a [`descriptor`]. A [`trace`] finds the [`shape`] of each type in it, as one codec
//! has it. [`check`] finds what that codec would not return as it was. Together they make a method's
//! [`signature`]. [`compare`] finds the [`ContractDifference`](crate::ContractDifference)s between a
//! client's signatures and its server's.

mod check;
mod compare;
mod descriptor;
mod lenience;
mod notes;
mod service_lenience;
pub mod shape;
mod signature;
pub mod text;
mod trace;
mod visit;

pub use check::UnverifiedPart;
pub use compare::{Differences, Readers, compare};
pub use descriptor::{ArgumentDescriptor, ArgumentKind, Trace};
pub use descriptor::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
pub use notes::ServiceNotes;
pub use service_lenience::{ServiceLenience, lenience};
#[cfg(feature = "dynamic")]
pub use signature::{ArgumentShape, EventSignature, Signature};
pub use signature::{Contract, Digest, MAX_CONTRACT_LEN, Traced, traced};
pub use trace::{SampleError, register_sample, unseen};
pub use trace::{
    Tracer, trace_path, trace_raw, trace_raw_value, trace_result, trace_str, trace_value,
};
pub use visit::trace;
