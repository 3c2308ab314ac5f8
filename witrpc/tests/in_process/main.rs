//! The whole typed path over the in-process transport: what a user's program sees.

mod executor;
mod gate;

mod asynchronous;
mod calls;
mod connecting;
mod limits;
mod service;
mod tokens;
