//! The equivalent of generated code for a service without a trait: arguments and answers of any type.

use std::borrow::Cow;
use std::future::Future;
use std::marker::PhantomData;

use crate::call::client::call::ClientCall;
use crate::call::server::arguments::{Arguments, BadArguments, OwnedArguments};
use crate::call::server::call::{Caller, ServerCall};
use crate::call::server::context::CallContext;
use crate::codec::{Transfer, Wire};
use crate::error::NoAppError;
use crate::method::{AnswerOf, Message, Method, answer, answer_or_error};

/// A method that returns a value.
pub struct Returns<T>(PhantomData<T>);

impl<T> Message for Returns<T> {
    type Args = ();
    const NUMBER: u16 = 0;
    const ARGS: () = ();
}

impl<T: Transfer> Method for Returns<T> {
    type Ok = T;
    type Err = NoAppError;
    const ANSWER: AnswerOf<Self> = answer();
}

/// A method that returns a `Result`.
pub struct Fails<T, E>(PhantomData<(T, E)>);

impl<T, E> Message for Fails<T, E> {
    type Args = ();
    const NUMBER: u16 = 0;
    const ARGS: () = ();
}

impl<T: Transfer, E: Wire> Method for Fails<T, E> {
    type Ok = T;
    type Err = E;
    const ANSWER: AnswerOf<Self> = answer_or_error();
}

impl<'a> ClientCall<'a> {
    pub(crate) fn value<T: Transfer>(&mut self, name: &'static str, value: &'a T) {
        self.note(|arguments| value.put(name, arguments));
    }

    pub(crate) fn str(&mut self, name: &'static str, value: &'a str) {
        self.note(|arguments| arguments.str(name, value));
    }
}

impl<'a> Arguments<'a> {
    pub fn value<T: Transfer>(&mut self, name: &'static str) -> Result<T, BadArguments> {
        Ok(T::take(name, &mut self.decoder)?)
    }

    pub fn str(&mut self, name: &'static str) -> Result<Cow<'a, str>, BadArguments> {
        Ok(self.decoder.str(name)?)
    }

    pub fn finish(&mut self) -> Result<(), BadArguments> {
        Ok(self.decoder.finish()?)
    }
}

impl ServerCall<'_> {
    pub(crate) fn answer<T: Transfer>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<T, BadArguments>,
    ) {
        self.run(run, |line, value| line.value::<Returns<T>>(value));
    }

    pub(crate) fn answer_result<T: Transfer, E: Wire>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<Result<T, E>, BadArguments>,
    ) {
        self.run(run, |line, result| line.result::<Fails<T, E>>(result));
    }

    pub(crate) fn answer_async<T: Transfer, F>(
        self,
        run: impl FnOnce(OwnedArguments, CallContext) -> F,
    ) where
        F: Future<Output = Result<T, BadArguments>> + Send + 'static,
    {
        self.run_async::<Returns<T>, _, _>(run, |reply, value| reply.value::<Returns<T>>(value));
    }

    pub(crate) fn answer_async_result<T: Transfer, E: Wire, F>(
        self,
        run: impl FnOnce(OwnedArguments, CallContext) -> F,
    ) where
        F: Future<Output = Result<Result<T, E>, BadArguments>> + Send + 'static,
    {
        self.run_async::<Fails<T, E>, _, _>(run, |reply, result| {
            reply.result::<Fails<T, E>>(result);
        });
    }
}
