//! The first generation.

pub use crate::call::client::call::ClientCall;
pub use crate::call::client::short::call;
pub use crate::call::server::call::{IntoService, ServerCall, Service};
pub use crate::connection::builder::{Async, Blocking, connect_async, connect_blocking};
pub use crate::connection::handle::Client;
pub use crate::contract::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
pub use crate::endpoint::in_process::served::in_process;
pub use crate::error::NoAppError;
pub use crate::event::client::subscribe::{
    attach_async, attach_blocking, subscribe_async, subscribe_blocking,
};
pub use crate::event::server::hub::{Emitter, EventHub};
pub use crate::method::{
    AliasOutcome, DebugProbe, Error, EventItem, Fed, Items, Message, Method, NotDebug, NotResult,
    Path, Raw, ResultProbe, ResultType, Str, StreamMethod, TakenBy, Value, emitted, error,
    is_result, items, items_of_alias, items_of_results, iterator, lent, path, raw, str, stream,
    value,
};
