//! One call on the server's side.

use std::borrow::Cow;
use std::future::Future;
use std::marker::PhantomData;
use std::path::Path;

use crate::__private::v1::{RawElement, Wire};
use crate::contract::ServiceDescriptor;

/// Who calls.
#[derive(Debug)]
pub struct CallContext {
    _private: (),
}

/// A service that can be served.
pub trait Service: Send + Sync + 'static {
    /// What it looks like.
    fn descriptor(&self) -> &'static ServiceDescriptor;
    /// Runs one call.
    fn dispatch(&self, call: ServerCall<'_>);
}

/// One call to be answered.
pub struct ServerCall<'a> {
    _private: PhantomData<&'a ()>,
}

/// The arguments of a call.
pub struct Arguments<'a> {
    _private: PhantomData<&'a ()>,
}

/// The arguments of a call that outlives its dispatch.
pub struct OwnedArguments {
    _private: (),
}

/// The arguments could not be decoded.
#[derive(Debug)]
pub struct BadArguments {
    message: String,
}

fn not_yet() -> BadArguments {
    BadArguments { message: "this server cannot decode yet".to_owned() }
}

impl ServerCall<'_> {
    /// The number of the method.
    pub fn method(&self) -> u16 {
        0
    }
    /// Answers that there is no such method.
    pub fn unknown_method(self) {}
    /// Answers with a value.
    pub fn reply<T: Wire>(
        self,
        _run: impl FnOnce(&mut Arguments<'_>, &CallContext) -> Result<T, BadArguments>,
    ) {
    }
    /// Answers with a value or the service's error.
    pub fn reply_result<T: Wire, E: Wire>(
        self,
        _run: impl FnOnce(&mut Arguments<'_>, &CallContext) -> Result<Result<T, E>, BadArguments>,
    ) {
    }
    /// Answers with a value when the future is done.
    pub fn reply_async<T: Wire, F>(self, _run: impl FnOnce(OwnedArguments, CallContext) -> F)
    where
        F: Future<Output = Result<T, BadArguments>> + Send + 'static,
    {
    }
    /// Answers with a value or the service's error when the future is done.
    pub fn reply_async_result<T: Wire, E: Wire, F>(
        self,
        _run: impl FnOnce(OwnedArguments, CallContext) -> F,
    ) where
        F: Future<Output = Result<Result<T, E>, BadArguments>> + Send + 'static,
    {
    }
}

impl OwnedArguments {
    /// Reads them.
    pub fn open(&self) -> Arguments<'_> {
        Arguments { _private: PhantomData }
    }
}

impl<'a> Arguments<'a> {
    /// The next argument, `T` or `&T`.
    pub fn value<T: Wire>(&mut self, _name: &'static str) -> Result<T, BadArguments> {
        Err(not_yet())
    }
    /// The next argument, `&str`.
    pub fn str(&mut self, _name: &'static str) -> Result<Cow<'a, str>, BadArguments> {
        Err(not_yet())
    }
    /// The next argument, `&Path`.
    pub fn path(&mut self, _name: &'static str) -> Result<Cow<'a, Path>, BadArguments> {
        Err(not_yet())
    }
    /// The next argument, `&[T]`.
    pub fn raw<T: RawElement>(
        &mut self,
        _name: &'static str,
    ) -> Result<Cow<'a, [T]>, BadArguments> {
        Err(not_yet())
    }
    /// Nothing may follow.
    pub fn finish(&mut self) -> Result<(), BadArguments> {
        Err(not_yet())
    }
}
