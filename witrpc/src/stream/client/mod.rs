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

pub mod asynchronous;
pub mod blocking;
pub mod call;
pub mod clock;
pub mod closing;
pub mod control;
pub mod link_streams;
pub mod notices;
pub mod pickup;
pub mod push;
pub mod request;
pub mod stream_receiver;
pub mod unattended;
pub mod upload_buffer;
pub mod upload_future;
pub mod upload_thread;
pub mod wait_permits;
