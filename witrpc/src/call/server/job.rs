//! The jobs of `async fn` handlers: the part of a call that outlives its dispatch.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::Poll;

use witrpc_transport::Session;

use crate::call::server::client_job::ClientJob;
use crate::observe::spans::ServedSpan;
use crate::pool::{Job, Pool};
use crate::rt::panics::catch;
use crate::stream::server::ServerStreams;
use crate::stream::server::slot::{DROPPED, HasSlot, Unanswered};
use crate::stream::server::stream_limits::MethodPermit;
use crate::stream::server::stream_sender::StreamSender;

use super::arguments::BadArguments;
use super::call_observer::CallObserver;
use super::counted::Counted;
use super::pending_reply::PendingReply;
use super::reply::Reply;
use super::session::ClientSession;

/// A function that hands a job to a runtime of the user's, instead of to the server's threads.
pub type Spawn = Box<dyn Fn(Job) + Send + Sync>;

/// A call that a job answers. If the job is dropped before, the drop answers the call.
pub struct LateReply {
    place: AnswerTarget,
    stage: Cell<JobStage>,
    /// Whether the handler is dropped when its client goes.
    drops: bool,
    /// The shutdown's registration, released when the call is answered.
    counted: Option<Counted>,
    _of_client: ClientJob,
}

/// The target of an answer.
pub enum AnswerTarget {
    /// The caller.
    Caller(PendingReply),
    /// The slot of a stream. Opening the stream answered the request, so the client asks for this
    /// answer separately.
    Slot {
        upload: Arc<dyn HasSlot>,
        session: Session,
        number: u64,
        observer: CallObserver,
        permit: MethodPermit,
    },
}

impl AnswerTarget {
    fn observer(&self) -> &CallObserver {
        match self {
            AnswerTarget::Caller(asked) => &asked.observer,
            AnswerTarget::Slot { observer, .. } => observer,
        }
    }

    /// Returns the length of the request that opened a stream; 0 for any other.
    pub fn request_len(&self) -> usize {
        match self {
            AnswerTarget::Caller(_) => 0,
            AnswerTarget::Slot { permit, .. } => permit.request_len(),
        }
    }

    fn raw_session(&self) -> &Session {
        match self {
            AnswerTarget::Caller(asked) => asked.peer.session(),
            AnswerTarget::Slot { session, .. } => session,
        }
    }

    fn session(&self) -> &ClientSession {
        ClientSession::of(self.raw_session())
    }

    /// Records that the caller will not receive the answer.
    fn unheard(&self) {
        self.observer().unheard(self.session().late());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum JobStage {
    NotBegun,
    Running,
    Answered,
}

impl LateReply {
    /// Takes the call over from its dispatch. A shutdown waits for it from then on.
    pub fn new(place: AnswerTarget, request_len: usize, drops: bool, pool: &Arc<Pool>) -> Self {
        let (stage, counted) = (Cell::new(JobStage::NotBegun), Some(Counted::new(pool)));
        let of_client = ClientJob::new(place.raw_session(), request_len);
        Self { place, stage, drops, counted, _of_client: of_client }
    }

    /// Returns the job that runs the handler and answers with what `answer` makes of its outcome.
    pub fn job<T: Send + 'static>(
        self,
        handler: impl Future<Output = T> + Send + 'static,
        answer: impl FnOnce(Reply<'_>, &T) + Send + 'static,
    ) -> Job {
        Box::pin(async move {
            self.stage.set(JobStage::Running);
            let observer = self.place.observer();
            let handler = pin!(handler);
            let handler = caught(observer.span(), handler);
            let outcome = match &self.place {
                AnswerTarget::Caller(asked) if self.drops => {
                    unless_gone(asked.peer.session(), handler).await
                }
                AnswerTarget::Caller(_) => Some(handler.await),
                AnswerTarget::Slot { upload, .. } => unless_lost(&**upload, pin!(handler)).await,
            };
            let late;
            let asked = match &self.place {
                AnswerTarget::Caller(asked) => Some(asked),
                AnswerTarget::Slot { .. } if outcome.is_none() => None,
                AnswerTarget::Slot { upload, .. } => {
                    upload.finish();
                    late = poll_fn(|cx| upload.slot().poll_asked(cx)).await;
                    late.as_ref()
                }
            };
            self.stage.set(JobStage::Answered);
            let (Some(outcome), Some(asked)) = (outcome, asked) else {
                return self.place.unheard();
            };
            let reply = asked.reply_for(observer);
            match outcome {
                // The user's code encodes the value, and may panic before the answer is sent.
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

impl LateReply {
    /// Returns whether the server ends. It drops its jobs and closes its connections on two threads, so
    /// a job that it drops must not answer: that would tell of a fault of the handler.
    fn server_ends(&self) -> bool {
        self.counted.as_ref().is_some_and(Counted::server_ends)
    }
}

impl Drop for LateReply {
    fn drop(&mut self) {
        let stage = self.stage.get();
        match &self.place {
            AnswerTarget::Slot { session, number, .. } if stage == JobStage::Answered => {
                ServerStreams::of(session).forget(*number);
            }
            AnswerTarget::Slot { upload, session, number, observer, .. } => {
                upload.leave_unanswered(Unanswered {
                    number: *number,
                    was_begun: stage == JobStage::Running,
                    observer: observer.clone(),
                    session: session.clone(),
                    counted: self.counted.take(),
                });
            }
            AnswerTarget::Caller(asked) => match stage {
                JobStage::Answered => {}
                JobStage::NotBegun => asked.reply().shutting_down(),
                JobStage::Running if self.server_ends() => self.place.unheard(),
                JobStage::Running => asked.reply().panicked(DROPPED),
            },
        }
    }
}

/// Returns the job that runs a method which returns a stream, up to the end of the stream.
pub fn stream_job<T: Send + 'static>(
    flow: Arc<StreamSender<T>>,
    permit: MethodPermit,
    asked: StreamAsked,
    handler: impl Future<Output = Result<(), BadArguments>> + Send + 'static,
) -> Job {
    /// A guard that ends the stream if it is still open.
    struct Ended<T: 'static> {
        flow: Arc<StreamSender<T>>,
        pool: Weak<Pool>,
    }

    impl<T: 'static> Drop for Ended<T> {
        fn drop(&mut self) {
            if Pool::ends(&self.pool) {
                self.flow.answer_call(|reply| reply.unheard());
            } else {
                self.flow.panicked(DROPPED);
            }
        }
    }

    let StreamAsked { session, span, drops, pool } = asked;
    let ended = Ended { flow, pool };
    let of_client = ClientJob::new(&session, permit.request_len());
    Box::pin(async move {
        let (_permit, _of_client) = (permit, of_client);
        let handler = pin!(handler);
        let handler = caught(&span, handler);
        let outcome = match drops {
            true => unless_gone(&session, handler).await,
            false => Some(handler.await),
        };
        match outcome {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(bad))) => {
                let _ = ended.flow.answer_call(|reply| reply.bad_request(bad.message()));
            }
            Some(Err(message)) => ended.flow.panicked(&message),
        }
    })
}

/// The parts of its call that the job of a method with a returned stream needs.
pub struct StreamAsked {
    pub session: Session,
    pub span: ServedSpan,
    /// Whether the method's future is dropped when its client disconnects.
    pub drops: bool,
    pub pool: Weak<Pool>,
}

/// Runs the handler. Returns `None`, and drops the handler, when the client disconnects.
async fn unless_gone<F: Future>(session: &Session, handler: F) -> Option<F::Output> {
    let mut gone = pin!(ClientSession::of(session).presence.until_cut());
    let mut handler = pin!(handler);
    poll_fn(|cx| {
        if gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        handler.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Runs the handler. Returns `None`, and drops the handler, when the caller has gone.
async fn unless_lost<F: Future>(
    upload: &dyn HasSlot,
    mut handler: Pin<&mut F>,
) -> Option<F::Output> {
    poll_fn(|cx| {
        if upload.slot().poll_lost(cx) {
            return Poll::Ready(None);
        }
        handler.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Polls the user's future within its span, and turns a panic into its message.
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
