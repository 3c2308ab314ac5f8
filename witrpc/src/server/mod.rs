//! The server: from a bound name to the handler and back.
//!
//! [`builder`] says what is served and starts it; [`admission`] lets clients in; [`pool`] finds
//! their requests and lends its threads; [`dispatch`] brings a request to its service as a
//! [`call`], whose [`arguments`] it decodes; [`reply`] answers it, for an `async fn` from a [`job`].
//! Requests that are no calls go by [`control`] to the client's [`streams`] and [`events`].
//! [`handle`] is what the user keeps, [`farewell`] what is left to do at the end, [`threads`] are joined then;
//! [`running`] names what runs, [`session`] what the server keeps for each client,
//! [`sessions`] those who are connected. A [`trail`]
//! goes with each request, and notes its answer: in the counters of [`tally`], for hooks, which stand
//! around [`watched`] calls, and in its span.

mod admission;
mod alloc;
mod arguments;
mod builder;
mod call;
mod cancel;
mod context;
mod control;
mod dispatch;
mod events;
mod farewell;
mod handle;
mod job;
mod left_behind;
mod metrics;
mod panics;
mod pool;
mod reply;
mod running;
mod session;
mod sessions;
mod stop_reason;
mod streams;
mod tally;
mod trail;
mod watched;

#[cfg(test)]
mod tests;

pub use builder::WitServerBuilder;
pub use call::{IntoService, ServerCall, Service};
pub use cancel::UntilCancelled;
pub use context::CallContext;
pub use events::{Emitter, EventHub};
pub use handle::{ServerHandle, WitServer};
pub use metrics::Metrics;
pub use running::RunningMethod;
pub use stop_reason::StopReason;
