//! The seam from outside: transports of one's own, around the in-process one.

#![allow(clippy::disallowed_methods, reason = "tests start threads as they like")]

mod client_end;
mod server_end;
