//! The jobs of `async fn` handlers: what is left of a call when its dispatch is over.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::Poll;

use crate::spans::ServedSpan;
use crate::transport::Session;

use super::arguments::BadArguments;
use super::panics::catch;
use super::pool::{Job, Pool};
use super::reply::Reply;
use super::session::ClientSession;
use super::streams::{Asked, Burden, DROPPED, HasSlot, Outflow, Unanswered};
use super::trail::Trail;

/// Where jobs run if not on the server's threads: hands one to a runtime of the user's.
pub(super) type Spawn = Box<dyn Fn(Job) + Send + Sync>;

/// Counts as a call that has not been answered: a shutdown waits for it.
pub(super) struct Counted(Weak<Pool>);

impl Counted {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        pool.job_begun();
        Self(Arc::downgrade(pool))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.job_done();
        }
    }
}

/// A call that will be answered by a job. If the job is dropped before, it is answered then.
pub(super) struct LateReply {
    place: Place,
    stage: Cell<Stage>,
    /// Given back when the call has been answered.
    _counted: Counted,
}

/// Where an answer goes.
pub(super) enum Place {
    /// To whoever has called.
    Caller(Asked),
    /// To whoever will ask for it: the request for the call was answered when its stream was open.
    Slot { feed: Arc<dyn HasSlot>, session: Session, number: u64, trail: Trail, _burden: Burden },
}

impl Place {
    fn trail(&self) -> &Trail {
        match self {
            Place::Caller(asked) => &asked.trail,
            Place::Slot { trail, .. } => trail,
        }
    }

    /// Nobody has asked for the answer, and nobody will.
    fn unheard(&self) {
        if let Place::Slot { session, trail, .. } = self {
            trail.unheard(ClientSession::of(session).late());
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    NotBegun,
    Running,
    Answered,
}

impl LateReply {
    /// Takes the call over from its dispatch. A shutdown waits for it from now on.
    pub(super) fn new(place: Place, pool: &Arc<Pool>) -> Self {
        Self { place, stage: Cell::new(Stage::NotBegun), _counted: Counted::new(pool) }
    }

    /// The job that runs the handler and answers with what `answer` makes of its outcome.
    pub(super) fn job<T: Send + 'static>(
        self,
        handler: impl Future<Output = T> + Send + 'static,
        answer: impl FnOnce(Reply<'_>, &T) + Send + 'static,
    ) -> Job {
        Box::pin(async move {
            self.stage.set(Stage::Running);
            let trail = self.place.trail();
            let handler = pin!(handler);
            let handler = caught(trail.span(), handler);
            let outcome = match &self.place {
                Place::Caller(_) => Some(handler.await),
                Place::Slot { feed, .. } => unless_lost(&**feed, pin!(handler)).await,
            };
            let late;
            let asked = match &self.place {
                Place::Caller(asked) => Some(asked),
                Place::Slot { .. } if outcome.is_none() => None,
                Place::Slot { feed, .. } => {
                    feed.finish();
                    late = poll_fn(|cx| feed.slot().poll_asked(cx)).await;
                    late.as_ref()
                }
            };
            self.stage.set(Stage::Answered);
            let (Some(outcome), Some(asked)) = (outcome, asked) else {
                return self.place.unheard();
            };
            let reply = asked.reply_for(trail);
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
}

impl Drop for LateReply {
    fn drop(&mut self) {
        let stage = self.stage.get();
        match &self.place {
            Place::Slot { session, number, .. } if stage == Stage::Answered => {
                ClientSession::of(session).flows().forget(*number);
            }
            Place::Slot { feed, session, number, trail, .. } => {
                feed.leave_unanswered(Unanswered {
                    number: *number,
                    was_begun: stage == Stage::Running,
                    trail: trail.clone(),
                    session: session.clone(),
                });
            }
            Place::Caller(asked) => match stage {
                Stage::Answered => {}
                Stage::NotBegun => asked.reply().shutting_down(),
                Stage::Running => asked.reply().panicked(DROPPED),
            },
        }
    }
}

/// The job that runs a method which returns a stream, up to the end of that.
pub(super) fn stream_job<T: Send + 'static>(
    flow: Arc<Outflow<T>>,
    burden: Burden,
    span: ServedSpan,
    handler: impl Future<Output = Result<(), BadArguments>> + Send + 'static,
) -> Job {
    /// Ends the stream, if nothing else has.
    struct Ended<T: 'static>(Arc<Outflow<T>>);

    impl<T: 'static> Drop for Ended<T> {
        fn drop(&mut self) {
            self.0.panicked(DROPPED);
        }
    }

    let flow = Ended(flow);
    Box::pin(async move {
        let _burden = burden;
        match caught(&span, pin!(handler)).await {
            Ok(Ok(())) => {}
            Ok(Err(bad)) => drop(flow.0.answer_call(|reply| reply.bad_request(bad.message()))),
            Err(message) => flow.0.panicked(&message),
        }
    })
}

/// `None` when the caller has gone, with whom the handler is dropped.
async fn unless_lost<F: Future>(feed: &dyn HasSlot, mut handler: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| {
        if feed.slot().poll_lost(cx) {
            return Poll::Ready(None);
        }
        handler.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Polls the user's future, within its span; a panic becomes its message.
async fn caught<F: Future>(
    span: &ServedSpan,
    mut handler: Pin<&mut F>,
) -> Result<F::Output, String> {
    poll_fn(|cx| match catch(|| span.within(|| handler.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(message) => Poll::Ready(Err(message)),
    })
    .await
}
