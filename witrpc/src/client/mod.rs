//! The client: reaching a server, and calling it.

mod builder;
mod call;
mod connection;

pub use builder::{Async, Blocking, ClientBuilder, connect_async, connect_blocking, in_process};
pub use call::ClientCall;
pub use connection::{Client, Connection};
