//! What a service looks like on the wire.

mod check;
mod descriptor;
mod shape;
mod trace;

pub use descriptor::{
    ArgumentDescriptor, ArgumentKind, MethodDescriptor, ServiceDescriptor, Trace,
};
pub use trace::{Tracer, trace, trace_path, trace_raw, trace_str};

pub(crate) use check::{CodecRefusal, check};
