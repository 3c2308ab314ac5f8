//! One call on the client's side.

use std::path::Path;

use crate::__private::v1::{RawElement, Wire};
use crate::client::Connection;
use crate::error::CallError;

/// One call: takes the arguments, then sends them and brings the answer back.
pub struct ClientCall<'a> {
    connection: &'a Connection,
    method: u16,
}

impl<'a> ClientCall<'a> {
    /// Starts a call of the method of that number in the client's own descriptor.
    pub fn new(connection: &'a Connection, method: u16) -> Self {
        Self { connection, method }
    }

    /// The next argument, `T` or `&T`.
    pub fn value<T: Wire>(&mut self, _name: &'static str, _value: &'a T) {}

    /// The next argument, `&str`.
    pub fn str(&mut self, _name: &'static str, _value: &'a str) {}

    /// The next argument, `&Path`.
    pub fn path(&mut self, _name: &'static str, _value: &'a Path) {}

    /// The next argument, `&[T]`.
    pub fn raw<T: RawElement>(&mut self, _name: &'static str, _value: &'a [T]) {}

    /// Calls, and blocks the thread until the answer is there.
    pub fn block<T: Wire>(self) -> Result<T, CallError> {
        Err(self.unsent())
    }

    /// The same for a method that returns a `Result`.
    pub fn block_result<T: Wire, E: Wire>(self) -> Result<T, CallError<E>> {
        Err(self.unsent().into())
    }

    /// Calls, and completes when the answer is there.
    pub async fn send<T: Wire>(self) -> Result<T, CallError> {
        Err(self.unsent())
    }

    /// The same for a method that returns a `Result`.
    pub async fn send_result<T: Wire, E: Wire>(self) -> Result<T, CallError<E>> {
        Err(self.unsent().into())
    }

    fn unsent(&self) -> CallError {
        let inner = self.connection.inner();
        let method = inner.descriptor.methods[usize::from(self.method)].name;
        CallError::UnknownMethod { method }
    }
}
