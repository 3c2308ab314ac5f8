//! The interface between calls and the transports that carry them.
//!
//! A transport moves opaque messages: a *tag* of [`TAG_BITS`] bits whose meaning belongs to the layers above,
//! and a body. It is independent of methods, codecs and handlers, and the layers above are independent of
//! memory, sockets and futexes. This crate has what both share: messages, tickets, limits, errors, leases,
//! sessions, and the two halves of a transport as traits. It has no threads, no codecs and no `unsafe`
//! operation.
//!
//! - [`ClientChannel`]: a client's half. It sends requests and waits for their answers.
//! - [`ServerPort`], [`Scanner`] and [`Peer`]: a server's half. Its threads look for requests with a
//!   scanner and answer them through the peer.
//! - [`Admission`]: the decision whether a client comes in, which a transport asks for.
//! - [`Initiator`], [`Responder`] and [`Keys`]: the key exchange by which a transport proves secrets and
//!   encrypts.
//!
//! # What each side promises
//!
//! Each method documents its promises. In short:
//!
//! - **What may block.** Only [`ClientChannel::wait_answer`], [`KeptLane::wait_answer`], [`ServerPort::park`]
//!   and [`ServerPort::join`] block their thread. [`Peer::answer`] never waits for the client: a transport
//!   keeps an answer that finds no space until there is some.
//! - **Back-pressure.** A transport bounds the calls in flight of a client ([`ClientChannel::lanes`]) and the
//!   bytes that it holds for it. A client that is over a bound waits in [`ClientChannel::poll_send`]. A server
//!   takes no further requests of a client for which it keeps too many answers.
//! - **Threads.** Every method may be called from any thread, except that one thread at a time uses a
//!   [`Scanner`] or a [`KeptLane`]. Wakers and the methods of [`Admission`] run user code: a transport calls
//!   them without a lock.
//! - **Ends.** The end of either side ends every pending call with a [`ChannelError`]. A wait ends at
//!   its [`Limit`] at the latest, whatever the peer does.
//! - **Copies.** A body is written by the sender *into space that the transport reserved* ([`Fill`]). A body
//!   that arrives is copied *once*, to its destination ([`RemoteBytes`]). A message can also name bytes and
//!   hand them over without a copy ([`Lessor`]); a transport without leases copies them into the message.
//!
//! # How it grows
//!
//! A later version may add fields, variants, and methods with a default. So structs and enums are
//! `#[non_exhaustive]`. A transport makes a struct by its `new` and `with_` methods or from its default, and
//! has an arm for unknown variants.

#![deny(missing_docs, unsafe_code)]

mod admission;
mod client;
mod error;
mod key_exchange;
mod lease;
mod limit;
mod message;
mod resource;
mod server;
mod short;
mod trust;
mod wait;

pub use admission::{
    Admission, Admitted, Clearance, ClientInfo, ClientOrigin, NameChange, Session,
};
pub use client::{ClientChannel, KeptLane, Sending};
pub use error::{ChannelError, DisconnectReason};
pub use key_exchange::{
    Begun, COUNTER_BITS, Demands, FIRST_MESSAGE_NUMBER, Finish, Initiator, Keys, MAX_EXCHANGE_LEN,
    MAX_PIECE_LEN, NoRandomBytes, Plain, Responder, Response, TAG_LEN,
};
pub use lease::{Lent, Lessor, SharedBytes, WritableBytes, private_bytes};
pub use limit::Limit;
pub use message::{
    Answer, Body, Fill, Leasing, MIN_MESSAGE_LEN, Outgoing, Payload, RemoteBytes, Request,
    SMALL_LEN, TAG_BITS, Ticket, pad,
};
pub use resource::ResourceError;
pub use server::{Only, Peer, Scanner, Serve, ServerPort, Shutdown, Usage, serve_by};
pub use short::{Exchange, SHORT_WORDS, Short, ShortAnswer, ShortRequest};
pub use trust::TrustedPeer;
pub use wait::WaitPolicy;

/// The longest hello of a client and the longest welcome or refusal of a server, in bytes.
pub const MAX_HELLO_LEN: usize = 1 << 20;
