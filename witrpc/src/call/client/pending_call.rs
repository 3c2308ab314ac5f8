//! A call in flight, which is abandoned when its future is dropped.

use std::borrow::BorrowMut;
use std::ops::Deref;
use std::task::{Context, Poll, ready};

use witrpc_transport::{Answer, ChannelError, ClientChannel, Limit, Outgoing, Sending, Ticket};

/// A call from the first attempt to send it until its answer. It borrows or owns its channel and
/// its limit.
pub struct PendingCall<C, L>
where
    C: Deref<Target = dyn ClientChannel>,
    L: BorrowMut<Limit>,
{
    channel: C,
    limit: L,
    stage: CallStage,
    /// Whether it belongs to a call that has begun. A server that drains its calls still takes it.
    continues: bool,
}

/// The progress of a call.
enum CallStage {
    /// Nothing has happened.
    New,
    /// It waits for a lane or for space, or is sent in segments.
    Sending(Sending),
    /// It is sent.
    Sent(Ticket),
    /// It has ended.
    Over,
}

impl<C, L> PendingCall<C, L>
where
    C: Deref<Target = dyn ClientChannel>,
    L: BorrowMut<Limit>,
{
    pub fn new(channel: C, limit: L) -> Self {
        Self { channel, limit, stage: CallStage::New, continues: false }
    }

    /// Has the call sent even while the server drains its calls.
    pub fn set_continuing(&mut self) {
        self.continues = true;
    }

    /// Continues with a call that was sent.
    pub fn set_sent(&mut self, ticket: Ticket) {
        self.stage = CallStage::Sent(ticket);
    }

    /// Tries to send at once. Returns `false` if the call would have to wait.
    pub fn try_send(&mut self, message: Outgoing<'_>) -> Result<bool, ChannelError> {
        let ticket = self.channel.try_send(message)?;
        let is_sent = ticket.is_some();
        if let Some(ticket) = ticket {
            self.stage = CallStage::Sent(ticket);
        }
        Ok(is_sent)
    }

    /// Sends at once if that is possible, otherwise as [`poll_send`](Self::poll_send) does.
    pub fn poll_try_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        if let CallStage::New = self.stage {
            match self.try_send(message) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(ChannelError::ShuttingDown) if self.continues => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.poll_send(cx, message)
    }

    /// Sends, and waits for a lane and space. Poll it with an equal message each time.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        if let CallStage::New = self.stage {
            let sending = Sending::new(self.continues);
            self.stage = CallStage::Sending(sending);
        }
        let CallStage::Sending(sending) = &mut self.stage else {
            unreachable!("a call is sent once");
        };
        let sent = ready!(self.channel.poll_send(cx, sending, message, self.limit.borrow_mut()));
        self.stage = match sent {
            Ok(ticket) => CallStage::Sent(ticket),
            Err(_) => CallStage::Over,
        };
        Poll::Ready(sent.map(|_| ()))
    }

    /// Returns whether the request was sent completely.
    pub fn is_sent(&self) -> bool {
        matches!(self.stage, CallStage::Sent(_))
    }

    /// Returns the ticket of the call, once it is sent.
    pub fn ticket(&self) -> Option<Ticket> {
        match self.stage {
            CallStage::Sent(ticket) => Some(ticket),
            _ => None,
        }
    }

    /// Announces that the caller will not look for the answer for now. After this, poll for the
    /// answer instead of waiting for it.
    pub fn set_aside(&self) {
        if let Some(ticket) = self.ticket() {
            self.channel.set_aside(ticket);
        }
    }

    /// Announces that the answer may take long, so that the waiter does not spin for it.
    pub fn expect_late(&self) {
        if let Some(ticket) = self.ticket() {
            self.channel.expect_late(ticket);
        }
    }

    /// Returns the limit of the call.
    pub fn limit(&mut self) -> &mut Limit {
        self.limit.borrow_mut()
    }

    /// Sets a new limit for the rest of the call.
    pub fn set_limit(&mut self, limit: Limit) {
        *self.limit.borrow_mut() = limit;
    }

    /// Completes when the answer to a call that was sent arrives.
    pub fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        let CallStage::Sent(ticket) = &mut self.stage else {
            unreachable!("an answer is waited for once, after sending");
        };
        let limit = self.limit.borrow_mut();
        let ended = ready!(self.channel.poll_answer(cx, ticket, limit, answer));
        self.stage = CallStage::Over;
        Poll::Ready(ended)
    }

    /// Blocks the thread until the answer to a call that was sent arrives.
    pub fn wait_answer(mut self, answer: &mut Answer) -> Result<(), ChannelError> {
        let CallStage::Sent(ticket) = std::mem::replace(&mut self.stage, CallStage::Over) else {
            unreachable!("an answer is waited for once, after sending");
        };
        self.channel.wait_answer(ticket, self.limit.borrow_mut(), answer)
    }
}

impl<C, L> Drop for PendingCall<C, L>
where
    C: Deref<Target = dyn ClientChannel>,
    L: BorrowMut<Limit>,
{
    fn drop(&mut self) {
        let ticket = match &self.stage {
            CallStage::New | CallStage::Over => None,
            CallStage::Sending(sending) => sending.ticket,
            CallStage::Sent(ticket) => Some(*ticket),
        };
        if let Some(ticket) = ticket {
            self.channel.abandon(ticket);
        }
    }
}
