//! The client: reaching a server, and calling it.
//!
//! In the order of a call's life: [`builder`] decides, [`dial`] reaches the server, and
//! [`agreement`] settles what is called, [`connection`] is what all clones of a client share,
//! [`call`] takes arguments and sends them, [`flight`] waits for the answer, [`answer`] reads it.
//! [`options`] and [`cancel_token`] say when a call is over before that. What goes on after a call are its [`streams`], by [`call_streams`], and [`events`].
//! [`links`] are what calls go over; they are replaced if the client [`reconnect`]s.
//! A [`sibling`] goes over another client's connection; [`in_process`] has a server of its own.

pub(crate) mod additional_service;
pub(crate) mod builder;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod handshake;
pub(crate) mod in_process;
pub(crate) mod link_slot;
pub(crate) mod negotiation;
pub(crate) mod reconnect;
