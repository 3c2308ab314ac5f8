//! What a service looks like on the wire.

mod descriptor;

pub use descriptor::{
    ArgumentDescriptor, ArgumentKind, MethodDescriptor, ServiceDescriptor, Trace,
};

use crate::__private::v1::{RawElement, Wire};

/// Collects the shape of one type.
#[derive(Debug)]
pub struct Tracer {
    _private: (),
}

/// The shape of `T`.
pub fn trace<T: Wire>(_tracer: &mut Tracer) {}
/// The shape of a raw `&[T]`.
pub fn trace_raw<T: RawElement>(_tracer: &mut Tracer) {}
/// The shape of `&str`.
pub fn trace_str(_tracer: &mut Tracer) {}
/// The shape of `&Path`.
pub fn trace_path(_tracer: &mut Tracer) {}
