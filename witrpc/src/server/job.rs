//! The jobs of `async fn` handlers: what is left of a call when its dispatch is over.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::Poll;

use crate::codec::Codec;
use crate::transport::{Peer, Ticket};

use super::panics::catch;
use super::pool::{Job, Pool};
use super::reply::Reply;

/// Where jobs run if not on the server's threads: hands one to a runtime of the user's.
pub(super) type Spawn = Box<dyn Fn(Job) + Send + Sync>;

/// A call that will be answered by a job. If the job is dropped before, it is answered then.
pub(super) struct LateReply {
    peer: Arc<dyn Peer>,
    ticket: Ticket,
    codec: Codec,
    pool: Weak<Pool>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    NotBegun,
    Running,
    Answered,
}

impl LateReply {
    /// Takes the call over from its dispatch. A shutdown waits for it from now on.
    pub(super) fn new(
        peer: &Arc<dyn Peer>,
        ticket: Ticket,
        codec: Codec,
        pool: &Arc<Pool>,
    ) -> Self {
        pool.job_begun();
        Self {
            peer: Arc::clone(peer),
            ticket,
            codec,
            pool: Arc::downgrade(pool),
            stage: Stage::NotBegun,
        }
    }

    /// The job that runs the handler and answers with what `answer` makes of its outcome.
    pub(super) fn job<T: Send + 'static>(
        mut self,
        handler: impl Future<Output = T> + Send + 'static,
        answer: impl FnOnce(Reply<'_>, &T) + Send + 'static,
    ) -> Job {
        Box::pin(async move {
            self.stage = Stage::Running;
            let outcome = caught(pin!(handler)).await;
            self.stage = Stage::Answered;
            let reply = self.reply();
            match outcome {
                // The user's code encodes the value, and may panic before it is sent.
                Ok(value) => {
                    if let Err(message) = catch(|| answer(reply, &value)) {
                        reply.panicked(&message);
                    }
                }
                Err(message) => reply.panicked(&message),
            }
        })
    }

    fn reply(&self) -> Reply<'_> {
        Reply { peer: &*self.peer, ticket: self.ticket, codec: self.codec }
    }
}

impl Drop for LateReply {
    fn drop(&mut self) {
        match self.stage {
            Stage::NotBegun => self.reply().shutting_down(),
            Stage::Running => {
                self.reply().panicked("the handler's future was dropped before it had an answer");
            }
            Stage::Answered => {}
        }
        if let Some(pool) = self.pool.upgrade() {
            pool.job_done();
        }
    }
}

/// Polls the user's future; a panic becomes its message.
async fn caught<F: Future>(mut handler: Pin<&mut F>) -> Result<F::Output, String> {
    poll_fn(|cx| match catch(|| handler.as_mut().poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(message) => Poll::Ready(Err(message)),
    })
    .await
}
