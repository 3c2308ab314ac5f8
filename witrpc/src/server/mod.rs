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

pub(crate) mod admission;
pub(crate) mod builder;
pub(crate) mod control;
pub(crate) mod dispatch;
pub(crate) mod farewell;
pub(crate) mod handle;
pub(crate) mod metrics;
pub(crate) mod sessions;

pub(crate) mod registry;
#[cfg(test)]
pub(crate) mod tests;
