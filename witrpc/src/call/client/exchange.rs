//! The attempts at a call: the first over the current link, further ones over later links if that is
//! lost.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, ready};

use witrpc_transport::{ChannelError, Ticket};

use crate::connection::link::Link;
use crate::connection::link_slot::LinkRef;
use crate::error::CallError;
use crate::rt::block_on;
use crate::rt::cancel_token::{CancelToken, TokenWatch};

use super::answer;
use super::answer::AnswerValue;
use super::call::ClientCall;
use super::failed_attempt::Failed;
use super::options::CallDeadline;
use super::pending_call::PendingCall;
use super::short::Unfinished;

impl<'a> ClientCall<'a> {
    pub(super) fn exchange_blocking(
        &mut self,
        unfinished: Option<Unfinished<'a>>,
    ) -> Result<AnswerValue<'_>, CallError> {
        if self.connection.token().is_some() {
            return self.exchange_as_task();
        }
        let mut call_deadline = self.prepare()?;
        let (link, answered) = match unfinished {
            None => {
                let link = self.connection.inner().link();
                let answered = self.attempt_blocking(&link, &mut call_deadline);
                (link, answered)
            }
            Some(Unfinished::Sent(link, ticket)) => {
                let answered = self.wait(&link, ticket, &mut call_deadline);
                (link, answered)
            }
            Some(Unfinished::Answered(link, answer)) => {
                self.answer = answer;
                (link, Ok(()))
            }
        };
        let ended = match answered.and_then(|()| self.check_taken()) {
            Ok(()) => Ok(()),
            Err(failed) => self.give_up_or_wait(link, failed, call_deadline),
        };
        self.reply(ended, call_deadline)
    }

    /// Sends the request over a link and waits for its answer.
    #[inline]
    fn attempt_blocking(
        &mut self,
        link: &Link,
        call_deadline: &mut CallDeadline,
    ) -> Result<(), Failed> {
        let tag = self.tag(link)?;
        self.decide_leases(link)?;
        let sent = self
            .with_message(tag, call_deadline.deadline, |message| link.channel.try_send(message));
        match sent {
            Ok(Some(ticket)) => {
                self.note_sent(link, Some(ticket));
                self.wait(link, ticket, call_deadline)
            }
            Ok(None) => self.attempt_slowly(link, tag, call_deadline),
            Err(error) => Err(Failed::Unsent(error)),
        }
    }

    /// Waits for the answer to a request that was sent.
    #[inline]
    fn wait(
        &mut self,
        link: &Link,
        ticket: Ticket,
        call_deadline: &mut CallDeadline,
    ) -> Result<(), Failed> {
        let limit = &mut call_deadline.limit;
        link.channel.wait_answer(ticket, limit, &mut self.answer).map_err(Failed::unanswered)
    }

    /// Sends a request that must wait for a lane or for space, or that goes in segments.
    #[cold]
    fn attempt_slowly(
        &mut self,
        link: &Link,
        tag: u32,
        call_deadline: &mut CallDeadline,
    ) -> Result<(), Failed> {
        let deadline = call_deadline.deadline;
        let mut pending_call = PendingCall::new(&*link.channel, &mut call_deadline.limit);
        block_on(|cx| {
            self.with_message(tag, deadline, |message| pending_call.poll_send(cx, message))
        })
        .map_err(Failed::Unsent)?;
        self.note_sent(link, pending_call.ticket());
        pending_call.wait_answer(&mut self.answer).map_err(Failed::unanswered)
    }

    /// Waits as a task does, on this thread: cancelling a call wakes a task.
    #[cold]
    fn exchange_as_task(&mut self) -> Result<AnswerValue<'_>, CallError> {
        let mut exchange = pin!(self.exchange(None));
        block_on(|cx| exchange.as_mut().poll(cx))
    }

    /// Continues after a failed attempt: the thread waits as a task for the next link, if there may
    /// be one.
    #[cold]
    fn give_up_or_wait(
        &mut self,
        link: LinkRef<'a>,
        failed: Failed,
        call_deadline: CallDeadline,
    ) -> Result<(), CallError> {
        let mut waited = pin!(self.attempt_again(link, failed, call_deadline, None));
        block_on(|cx| waited.as_mut().poll(cx))
    }

    pub(super) async fn exchange(
        &mut self,
        unfinished: Option<Unfinished<'a>>,
    ) -> Result<AnswerValue<'_>, CallError> {
        let mut call_deadline = self.prepare()?;
        let mut cancelled = self.connection.token().map(CancelToken::watch);
        let (link, sent, is_answered) = match unfinished {
            None => (self.connection.inner().link(), None, false),
            Some(Unfinished::Sent(link, ticket)) => (link, Some(ticket), false),
            Some(Unfinished::Answered(link, answer)) => {
                self.answer = answer;
                (link, None, true)
            }
        };
        let attempted = match is_answered {
            true => self.check_taken(),
            false => self.attempt(&link, sent, &mut call_deadline, &mut cancelled).await,
        };
        let ended = match attempted {
            Ok(()) => Ok(()),
            // Boxed, so that a call which needs no second attempt has a small future.
            Err(failed) => {
                Box::pin(self.attempt_again(link, failed, call_deadline, cancelled)).await
            }
        };
        self.reply(ended, call_deadline)
    }

    /// Sends the request over a link, unless it was sent, and waits for its answer.
    async fn attempt(
        &mut self,
        link: &Link,
        sent: Option<Ticket>,
        call_deadline: &mut CallDeadline,
        cancelled: &mut Option<TokenWatch>,
    ) -> Result<(), Failed> {
        let deadline = call_deadline.deadline;
        let mut pending_call = PendingCall::new(&*link.channel, &mut call_deadline.limit);
        let tag = match sent {
            Some(ticket) => {
                pending_call.set_sent(ticket);
                0
            }
            None => {
                let tag = self.tag(link)?;
                self.decide_leases(link)?;
                tag
            }
        };
        poll_fn(|cx| {
            poll_cancelled(cx, cancelled)?;
            if !pending_call.is_sent() {
                let sent = self
                    .with_message(tag, deadline, |message| pending_call.poll_try_send(cx, message));
                ready!(sent).map_err(Failed::Unsent)?;
                self.note_sent(link, pending_call.ticket());
            }
            pending_call.poll_answer(cx, &mut self.answer).map_err(Failed::unanswered)
        })
        .await?;
        self.check_taken()
    }

    /// Returns whether the server took the call. A server that shuts down answers that it did not:
    /// for the caller this equals a request that was never sent.
    #[inline]
    fn check_taken(&self) -> Result<(), Failed> {
        if answer::turns_away(&self.answer) {
            return Err(Failed::Unsent(ChannelError::ShuttingDown));
        }
        Ok(())
    }

    /// Continues after a failed attempt. It uses the next link if the connection gets one, and if a
    /// second execution is allowed or impossible.
    async fn attempt_again(
        &mut self,
        mut link: LinkRef<'a>,
        mut failed: Failed,
        mut call_deadline: CallDeadline,
        mut cancelled: Option<TokenWatch>,
    ) -> Result<(), CallError> {
        let inner = self.connection.inner();
        // The error of the last attempt that may have run. A later attempt must not hide it from
        // the caller.
        let mut may_have_run = None;
        loop {
            if let Failed::Cancelled = failed {
                return Err(CallError::Cancelled);
            }
            let reason = failed.lost_for();
            let was_sent = matches!(failed, Failed::Unanswered(_));
            let error = self.error(failed);
            if was_sent {
                may_have_run = Some(error.clone());
            }
            let may_repeat = may_have_run.is_none() || inner.is_idempotent(self.method);
            let reconnector =
                reason.filter(|_| may_repeat).and_then(|it| inner.links.reconnector_after(it));
            let Some(reconnector) = reconnector else { return Err(may_have_run.unwrap_or(error)) };
            let next = {
                let mut next = reconnector.next(&link);
                poll_fn(|cx| {
                    if poll_cancelled(cx, &mut cancelled).is_err() {
                        return Poll::Ready(Err(CallError::Cancelled));
                    }
                    next.poll(cx, &mut call_deadline.limit)
                })
                .await
            };
            link = match next {
                Ok(next) => LinkRef::Kept(next),
                Err(CallError::Cancelled) => return Err(CallError::Cancelled),
                Err(error) => return Err(may_have_run.unwrap_or(error)),
            };
            failed = match self.attempt(&link, None, &mut call_deadline, &mut cancelled).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
        }
    }
}

/// Returns whether the call's token, if it has one, ends the call now.
#[inline]
fn poll_cancelled(cx: &Context<'_>, cancelled: &mut Option<TokenWatch>) -> Result<(), Failed> {
    match cancelled.as_mut().map(|cancelled| cancelled.poll(cx)) {
        Some(Poll::Ready(())) => Err(Failed::Cancelled),
        Some(Poll::Pending) | None => Ok(()),
    }
}
