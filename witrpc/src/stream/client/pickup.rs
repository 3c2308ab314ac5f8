//! Picks up the answer of an upload.

use std::task::{Context, Poll, ready};

use witrpc_transport::{Answer, Limit};

use crate::error::CallError;
use crate::rt::block_on;
use crate::tag::Operation;

use super::control::Control;
use super::push::Target;
use super::request::Request;

/// The request for the answer of an upload, once the upload is open.
///
/// The request waits at the server if the connection has lanes to spare. Otherwise it is sent when
/// the server has announced the answer.
pub struct AnswerPickup<'a> {
    target: &'a Target,
    control: Control<'static>,
    request: Option<Request>,
}

impl<'a> AnswerPickup<'a> {
    pub fn new(target: &'a Target) -> Self {
        let streams = &target.streams;
        let control = Control::of_stream(Operation::Pull, target.number, streams.codec);
        let request = Request::with_spare_permit(&streams.lanes);
        Self { target, control, request }
    }

    /// Completes when the answer is there.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, CallError>> {
        let mut request = match self.request.take() {
            Some(request) => request,
            None => {
                let told = ready!(self.target.notices.poll_answered(cx));
                told.map_err(|error| self.target.notice_error(error))?;
                Request::continuing(&self.target.streams.lanes, Limit::Never)
            }
        };
        match request.poll(cx, &self.control) {
            Poll::Pending => {
                self.request = Some(request);
                Poll::Pending
            }
            Poll::Ready(ended) => {
                let answer = ended.map(|()| request.answer);
                Poll::Ready(answer.map_err(|error| self.target.error(error)))
            }
        }
    }

    /// Returns whether the request may be sent now, and wait at the server.
    pub fn is_sendable(&self) -> bool {
        self.request.is_some()
    }

    /// Blocks the thread until the answer is there.
    pub fn wait(mut self) -> Result<Answer, CallError> {
        let Some(mut request) = self.request.take() else {
            return block_on(|cx| self.poll(cx));
        };
        request.pending_call.set_limit(self.target.call_deadline.limit);
        request.wait(&self.control).map_err(|error| self.target.error(error))
    }
}
