//! The first generation.

pub use crate::client::{
    Async, Blocking, Client, ClientCall, attach_async, attach_blocking, call, connect_async,
    connect_blocking, in_process, subscribe_async, subscribe_blocking,
};
pub use crate::contract::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
pub use crate::error::NoAppError;
pub use crate::method::{
    AliasOutcome, DebugProbe, Error, EventItem, Fed, Items, Message, Method, NotDebug, NotResult,
    Path, Raw, ResultProbe, ResultType, Str, StreamMethod, TakenBy, Value, emitted, error,
    is_result, items, items_of_alias, items_of_results, iterator, lent, path, raw, str, stream,
    value,
};
pub use crate::server::{Emitter, EventHub, IntoService, ServerCall, Service};
