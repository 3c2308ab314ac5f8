//! The whole typed path over the in-process transport: what a user's program sees.

#![allow(clippy::disallowed_methods, reason = "tests start threads as they like")]

mod executor;
mod gate;

mod asynchronous;
mod calls;
mod connecting;
mod limits;
mod service;
mod tokens;
