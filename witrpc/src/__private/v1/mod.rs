//! The first generation.

mod call_async;
mod result_kind;

pub use call_async::call_async;
pub use core::option::Option::Some;
pub use core::primitive::u8;
pub use core::result::Result::Ok;
pub use result_kind::result_kind;

pub use crate::call::client::call::ClientCall;
pub use crate::call::client::short::call_blocking;
pub use crate::call::client::short_future::AsyncCall;
pub use crate::call::server::call::{IntoService, ServerCall, Service};
pub use crate::call::server::context::context;
pub use crate::connection::builder::{Async, Blocking, connect_async, connect_blocking};
pub use crate::connection::handle::Client;
pub use crate::contract::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
pub use crate::endpoint::in_process::served::{in_process, in_process_with};
pub use crate::error::NoAppError;
pub use crate::event::client::subscribe::{
    attach_async, attach_blocking, subscribe_async, subscribe_blocking,
};
pub use crate::event::server::hub::{Emitter, EventHub};
pub use crate::event::server::no_events::NeedsNoEvents;
pub use crate::method::{
    AliasItems, AliasOutcome, AnswerOf, Borrowed, DebugProbe, EventItem, IoProbe, LentType,
    Message, Method, NotDebug, NotIoResult, NotResult, Optional, Owned, Probe, Raw, ResultItems,
    ResultType, Str, StreamMethod, TakenBy, UploadMethod, Uploaded, Value, ValueItems, alias,
    answer, answer_or_error, emitted, emitted_lent, items, items_of_alias, items_of_results,
    iterator, lend, lent, optional, raw, result, str, stream, value,
};
pub use crate::stream::client::call::{open_async, open_blocking, upload_async, upload_blocking};
