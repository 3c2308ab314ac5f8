//! The client: reaching a server, and calling it.
//!
//! In the order of a call's life: [`builder`] decides, [`dial`] reaches the server, and
//! [`agreement`] settles what is called, [`connection`] is what all clones of a client share,
//! [`call`] takes arguments and sends them, [`flight`] waits for the answer, [`answer`] reads it.
//! [`options`] and [`cancel_token`] say when a call is over before that. What goes on after a call are its [`streams`], by [`call_streams`], and [`events`].
//! [`links`] are what calls go over; they are replaced if the client [`reconnect`]s.
//! A [`sibling`] goes over another client's connection; [`in_process`] has a server of its own.

mod agreement;
mod alloc;
mod answer;
mod builder;
mod call;
mod call_streams;
mod cancel_token;
mod connection;
mod dial;
mod events;
mod flight;
mod in_process;
mod links;
mod options;
mod reconnect;
mod sibling;
mod streams;
mod watched;

pub use builder::{Async, Blocking, ClientBuilder, connect_async, connect_blocking};
pub use call::{ClientCall, call};
pub use cancel_token::CancelToken;
pub(crate) use cancel_token::TokenWatch;
pub use connection::{Client, Connection};
pub use events::{
    EventGuard, EventStream, Events, attach_async, attach_blocking, subscribe_async,
    subscribe_blocking,
};
pub use in_process::in_process;
pub use options::CallOptions;
pub use reconnect::{ConnectionState, Reconnect};
pub use streams::{AsyncStream, BlockingStream};
