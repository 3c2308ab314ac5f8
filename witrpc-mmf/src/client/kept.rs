//! A lane that one caller keeps from one call to the next.
//!
//! Only its first call waits for a lane. Calls that queue for a lane later do not delay the others.
//!
//! # Invariants
//!
//! 1. A kept lane was taken like any other and is given back once, so no other call has it
//!    meanwhile. It is never lent, so no other thread takes an answer off it.
//! 2. There is one call at a time. The next is published after the answer to the one before was
//!    taken.
//! 3. A call that is given up takes the lane along: it is abandoned like any other, and is freed
//!    when it is answered. The next call takes another lane.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use witrpc_transport::{Answer, ChannelError, Limit, Outgoing, Ticket};

use super::Client;
use super::receive::{Taken, UNASKED};
use super::waiting::Waiting;

/// A lane that one caller keeps from one call to the next. Dropping it gives the lane back.
#[derive(Debug)]
pub struct KeptLane {
    client: Arc<Client>,
    stage: KeptStage,
    waiting: Waiting,
}

#[derive(Clone, Copy, Debug)]
enum KeptStage {
    /// There is no lane.
    Out,
    /// The lane carries no call.
    Idle(usize),
    /// The lane carries this call.
    Sent(Ticket),
}

impl Client {
    /// Returns a lane to keep. It is taken by the first call.
    pub fn lane_to_keep(self: &Arc<Self>) -> KeptLane {
        let waiting = Waiting::default();
        KeptLane { client: Arc::clone(self), stage: KeptStage::Out, waiting }
    }
}

impl KeptLane {
    /// Sends a message without leases. Waits for space, and for a lane if there is none. Poll it
    /// with an equal message until it is ready.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] for a message that does not fit in one piece, or the reason why
    /// the connection is gone.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>> {
        self.client.check_connected()?;
        let lane = match self.stage {
            KeptStage::Idle(lane) => lane,
            KeptStage::Out => {
                let (waiting, limit) = (&mut self.waiting, &mut Limit::Never);
                ready!(self.client.poll_free_lane(cx, waiting, limit))?
            }
            KeptStage::Sent(_) => unreachable!("there is one call at a time"),
        };
        self.stage = KeptStage::Idle(lane);
        let waiting = &mut self.waiting;
        let sent = self.client.poll_send_whole(cx, lane, waiting, &message);
        self.stage = KeptStage::Sent(ready!(sent)?);
        // The next call that needs a lane queues for it like any other.
        self.client.end_wait(&mut self.waiting);
        Poll::Ready(Ok(()))
    }

    /// Blocks the thread until the answer is there, as [`Client::wait_answer`] does, without a
    /// limit.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn wait_answer<R>(&mut self, receive: impl FnOnce(Answer) -> R) -> Result<R, ChannelError> {
        // On any error below, the lane must not be given back as if it carried no call.
        let KeptStage::Sent(ticket) = std::mem::replace(&mut self.stage, KeptStage::Out) else {
            unreachable!("a call was sent");
        };
        let client = &self.client;
        client.check_mapped()?;
        let lane = ticket.lane as usize;
        let mut seq = ticket.seq;
        loop {
            client.wait_response(lane, seq, &mut Limit::Never)?;
            client.collect_if_abandoned();
            match client.read_response(lane, seq) {
                Ok(Taken::Answer(answer)) => {
                    self.stage = KeptStage::Idle(lane);
                    return answer.map(receive);
                }
                Ok(Taken::More(next)) => seq = next,
                Ok(Taken::Acknowledged) => return Err(client.accuse(UNASKED)),
                Err(error) => {
                    if let ChannelError::NoMemory { .. } | ChannelError::AnswerTooLarge { .. } =
                        error
                    {
                        client.abandon_owned(Ticket::new(ticket.lane, seq));
                    }
                    client.end_if_broken(error);
                    return Err(error);
                }
            }
        }
    }
}

impl Drop for KeptLane {
    fn drop(&mut self) {
        if self.client.half.origin.is_forked() {
            return;
        }
        self.client.end_wait(&mut self.waiting);
        match self.stage {
            KeptStage::Out => {}
            KeptStage::Idle(lane) => self.client.free_lane(lane),
            KeptStage::Sent(ticket) => self.client.abandon_owned(ticket),
        }
    }
}
