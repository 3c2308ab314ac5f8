//! The seam from outside: transports of one's own, around the in-process one.

mod client_end;
mod server_end;
