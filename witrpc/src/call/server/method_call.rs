//! A call of a known method that is answered by a future, for generated code.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::method::{Method, StreamMethod, UploadMethod};
use crate::stream::server::stream_sender::StreamWriter;
use crate::stream::server::upload_receiver::UploadReceiver;

use super::arguments::{BadArguments, OwnedArguments};
use super::call::ServerCall;
use super::context::CallContext;

/// A call of the method `M`.
pub struct MethodCall<'a, M> {
    call: ServerCall<'a>,
    method: PhantomData<M>,
}

impl<'a> ServerCall<'a> {
    /// Returns this call as one of the method `M`, and the service that answers it.
    pub fn of<M, S: ?Sized>(self, service: &Arc<S>) -> (MethodCall<'a, M>, Arc<S>) {
        (MethodCall { call: self, method: PhantomData }, Arc::clone(service))
    }

    /// Does the same for a method that may block its thread. The handler runs on a thread of the
    /// server; if it waits for its client, on a thread outside of the pool.
    pub fn of_blocking<M, S: ?Sized>(mut self, service: &Arc<S>) -> (MethodCall<'a, M>, Arc<S>) {
        self.runs_on_server_threads();
        self.of(service)
    }
}

impl<M: Method> MethodCall<'_, M> {
    /// Answers with the value of the future that `run` makes of the arguments.
    pub fn reply_async<F>(self, run: impl FnOnce(OwnedArguments, CallContext) -> F)
    where
        M: Method<Ok: Send>,
        F: Future<Output = Result<M::Ok, BadArguments>> + Send + 'static,
    {
        self.call.run_async::<M, _, _>(run, |reply, value| reply.value::<M>(value));
    }

    /// Answers with the value or the method's own error of the future.
    pub fn reply_async_result<F>(self, run: impl FnOnce(OwnedArguments, CallContext) -> F)
    where
        M: Method<Ok: Send, Err: Send>,
        F: Future<Output = Result<Result<M::Ok, M::Err>, BadArguments>> + Send + 'static,
    {
        self.call.run_async::<M, _, _>(run, |reply, result| reply.result::<M>(result));
    }
}

impl<M: UploadMethod> MethodCall<'_, M> {
    /// Opens the stream that the method takes. Returns `None` if that fails; the call is then
    /// answered.
    #[must_use]
    pub fn open_upload(self) -> Option<(Self, UploadReceiver<M::Item>)> {
        let (call, uploaded) = self.call.open_upload()?;
        Some((Self { call, ..self }, uploaded))
    }
}

impl<M: StreamMethod> MethodCall<'_, M> {
    /// Runs the future that `run` makes of the arguments, and answers that the stream is open once
    /// the future says so. The future then sends the items.
    pub fn stream<F>(self, run: impl FnOnce(OwnedArguments, CallContext, StreamWriter<M>) -> F)
    where
        F: Future<Output = Result<(), BadArguments>> + Send + 'static,
    {
        self.call.stream::<M, F>(run);
    }
}
