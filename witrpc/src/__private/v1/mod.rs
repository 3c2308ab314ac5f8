//! The first generation.

mod bounds;
mod result_probe;
mod travels;

pub use serde;

pub use crate::client::{
    Answered, Async, Blocking, Client, ClientBuilder, ClientCall, connect_async, connect_blocking,
    in_process,
};
pub use crate::contract::{
    ArgumentDescriptor, ArgumentKind, MethodDescriptor, ServiceDescriptor, Trace, Tracer, trace,
    trace_path, trace_raw, trace_str,
};
pub use crate::server::{
    Arguments, BadArguments, CallContext, Caller, OwnedArguments, ServerCall, Service,
};
pub use bounds::{RawElement, ResultType, Wire, assert_raw, assert_wire};
pub use result_probe::{NotResult, ResultProbe};
pub use travels::{Travels, assert_travels};
