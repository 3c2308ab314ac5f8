//! The first generation.

mod bounds;
mod debug_probe;
mod result_probe;
mod travels;

pub use serde;

pub use crate::client::{
    Answered, Async, Blocking, Client, ClientBuilder, ClientCall, EventItem, attach_async,
    attach_blocking, connect_async, connect_blocking, in_process, subscribe_async,
    subscribe_blocking,
};
pub use crate::contract::{
    ArgumentDescriptor, ArgumentKind, EventDescriptor, MethodDescriptor, Overflow,
    ServiceDescriptor, Trace, Tracer, trace, trace_path, trace_raw, trace_result, trace_str,
};
pub use crate::server::{
    Arguments, BadArguments, CallContext, Caller, Emitter, EventHub, EventWriter, Feed,
    IntoService, ItemEncoding, OwnedArguments, ServerCall, Service, StreamWriter, encoding_of,
    encoding_of_results,
};
pub use bounds::{Lent, RawElement, Wire, assert_lent, assert_raw, assert_wire};
pub use debug_probe::{DebugProbe, NotDebug};
pub use result_probe::{NotResult, ResultProbe, ResultType, is_result};
pub use travels::{Travels, assert_travels};
