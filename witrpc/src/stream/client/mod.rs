//! The client's side of streams: pulls the items that methods return, in batches, and pushes the items
//! that methods take.
//!
//! A pull or a push is a request like a call, answered late. [`request`] is one such request, and
//! [`control`] its message. A request that waits for items holds a lane. So [`wait_permits`] limits
//! these requests to half of a connection's lanes, and leaves lanes for notices, events and calls. The
//! state that all streams of a link share is in its [`link_streams`].
//!
//! - Download: a [`stream_receiver`] pulls. Users see it as [`blocking`] or [`asynchronous`].
//! - Upload: [`push`] pushes. Items come from an [`upload_thread`], which blocks and fills an
//!   [`upload_buffer`], or from an [`upload_future`], which is polled. A [`pickup`] gets the answer; a
//!   [`clock`] bounds the wait for it.
//! - An upload that waits while lanes are scarce learns of room and answers by [`notices`], which use one
//!   lane for all uploads.
//! - When a stream is dropped before its end, [`closing`] tells the server. Requests for notices and
//!   for closing are [`unattended`].

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
