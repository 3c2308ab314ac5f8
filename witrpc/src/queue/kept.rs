//! A lane that one caller keeps from one call to the next.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use witrpc_transport::{Answer, ChannelError, KeptLane, Outgoing, Ticket};

use super::link::QueueLink;
use super::waiter::{Progress, Waiter};

/// A lane that one caller keeps.
pub(crate) struct Kept {
    link: Arc<QueueLink>,
    stage: KeptStage,
}

#[derive(Clone, Copy)]
enum KeptStage {
    /// There is no lane.
    Out,
    /// Nothing is on it.
    Idle,
    /// This call is to be, or is.
    Sending(Ticket),
    /// This call is, and is waited for.
    Sent(Ticket),
}

impl Kept {
    pub(crate) fn new(link: &Arc<QueueLink>) -> Self {
        Self { link: Arc::clone(link), stage: KeptStage::Out }
    }
}

impl KeptLane for Kept {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        let ticket = match self.stage {
            KeptStage::Sending(ticket) => ticket,
            KeptStage::Out | KeptStage::Idle => {
                self.link.check_len(message.body.len())?;
                let has_lane = matches!(self.stage, KeptStage::Idle);
                let ticket = self.link.send_keeping(message, has_lane)?;
                self.stage = KeptStage::Sending(ticket);
                ticket
            }
            KeptStage::Sent(_) => unreachable!("there is one call at a time"),
        };
        match self.link.poll_sent(ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Wait(_former) => Poll::Pending,
            Progress::Done(Ok(()), _) => {
                self.stage = KeptStage::Sent(ticket);
                Poll::Ready(Ok(()))
            }
            Progress::Done(Err(error), _) => {
                self.link.keep_no_longer(ticket);
                self.stage = KeptStage::Out;
                Poll::Ready(Err(error))
            }
        }
    }

    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError> {
        let KeptStage::Sent(ticket) = self.stage else { unreachable!("a call was sent") };
        loop {
            match self.link.poll_answer(ticket, Waiter::Thread(thread::current())) {
                Progress::Wait(_former) => thread::park(),
                Progress::Done(Ok(arrived), _) => {
                    self.stage = KeptStage::Idle;
                    *answer = arrived;
                    return Ok(());
                }
                Progress::Done(Err(error), _) => {
                    self.link.keep_no_longer(ticket);
                    self.stage = KeptStage::Out;
                    return Err(error);
                }
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        match self.stage {
            KeptStage::Out => {}
            KeptStage::Idle => self.link.free_lane(),
            KeptStage::Sending(ticket) | KeptStage::Sent(ticket) => {
                self.link.keep_no_longer(ticket);
                self.link.abandon(ticket);
            }
        }
    }
}
