//! A lane that one caller keeps from one call to the next.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use witrpc_transport::{Answer, ChannelError, KeptLane, Outgoing, Ticket};

use super::in_flight::InFlight;
use super::waiter::{Progress, Waiter};

/// A lane that one caller keeps.
pub struct Kept {
    in_flight: Arc<InFlight>,
    stage: KeptStage,
}

#[derive(Clone, Copy)]
enum KeptStage {
    /// It holds no lane.
    Out,
    /// It holds a lane without a call.
    Idle,
    /// This call waits for the lane, or is on it.
    Sending(Ticket),
    /// This call is on the lane, and its answer is awaited.
    Sent(Ticket),
}

impl Kept {
    pub fn new(in_flight: &Arc<InFlight>) -> Self {
        Self { in_flight: Arc::clone(in_flight), stage: KeptStage::Out }
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
                self.in_flight.check_len(message.body.len())?;
                let has_lane = matches!(self.stage, KeptStage::Idle);
                let ticket = self.in_flight.send_keeping(message, has_lane)?;
                self.stage = KeptStage::Sending(ticket);
                ticket
            }
            KeptStage::Sent(_) => unreachable!("there is one call at a time"),
        };
        match self.in_flight.poll_sent(ticket, Waiter::Task(cx.waker().clone())) {
            Progress::Wait(_former) => Poll::Pending,
            Progress::Done(Ok(()), _) => {
                self.stage = KeptStage::Sent(ticket);
                Poll::Ready(Ok(()))
            }
            Progress::Done(Err(error), _) => {
                self.in_flight.keep_no_longer(ticket);
                self.stage = KeptStage::Out;
                Poll::Ready(Err(error))
            }
        }
    }

    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError> {
        let KeptStage::Sent(ticket) = self.stage else { unreachable!("a call was sent") };
        loop {
            match self.in_flight.poll_answer(ticket, Waiter::Thread(thread::current())) {
                Progress::Wait(_former) => thread::park(),
                Progress::Done(Ok(arrived), _) => {
                    self.stage = KeptStage::Idle;
                    *answer = arrived;
                    return Ok(());
                }
                Progress::Done(Err(error), _) => {
                    self.in_flight.keep_no_longer(ticket);
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
            KeptStage::Idle => self.in_flight.free_lane(),
            KeptStage::Sending(ticket) | KeptStage::Sent(ticket) => {
                self.in_flight.keep_no_longer(ticket);
                self.in_flight.abandon(ticket);
            }
        }
    }
}
