//! The client's side of streams: it pulls what methods return, batch by batch, and pushes what they take.
//!
//! A pull or a push is a request like a call, answered late; [`request`] is one of them, and
//! [`control`] its message. What waits for items holds a lane. So [`wait_permits`] let these have half of a
//! connection's lanes at most, and leave others for notices, events and calls. These and the rest of what all
//! streams of a link share is in its [`link_streams`].
//!
//! - Down: a [`stream_receiver`] pulls; [`blocking`] and [`asynchronous`] are what users see of it.
//! - Up: [`push`] pushes. Items come from an [`upload_thread`], which blocks and fills an [`upload_buffer`], or from
//!   an [`upload_future`], which is polled. A [`pickup`] gets the answer; a [`clock`] bounds the wait for it.
//! - An upload that waits while lanes are scarce learns by [`notices`], which come over one lane for all.
//! - What is dropped before its end is told to the server by [`closing`]. Requests of both kinds are
//!   [`unattended`].

pub(crate) mod asynchronous;
pub(crate) mod blocking;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod closing;
pub(crate) mod control;
pub(crate) mod link_streams;
pub(crate) mod notices;
pub(crate) mod pickup;
pub(crate) mod push;
pub(crate) mod request;
pub(crate) mod stream_receiver;
pub(crate) mod unattended;
pub(crate) mod upload_buffer;
pub(crate) mod upload_future;
pub(crate) mod upload_thread;
pub(crate) mod wait_permits;
