//! What can go wrong, by what the user was doing: binding, connecting, calling.

mod bind;
mod call;
mod connect;

pub use bind::BindError;
pub use call::{CallError, Direction, NoAppError};
pub use connect::ConnectError;
