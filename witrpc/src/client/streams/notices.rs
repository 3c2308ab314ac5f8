//! Waits for what the server tells of uploads: that there is room for more items, or an answer.
//!
//! One request waits for all uploads of a link, so that as many of these as there are lanes leave lanes
//! for the items that their methods wait for. No thread polls it: what the channel wakes does.
//!
//! # Invariants
//!
//! 1. While an upload waits for a notice, a request for notices is under way, or a thread is about to
//!    send one.
//! 2. One thread at a time polls what is under way. A waker that is woken meanwhile leaves `again`, and
//!    the thread polls once more.
//! 3. A request is polled and dropped, and uploads are woken, without the lock.
//! 4. A notice stays with its upload until that has looked: it may come before the answer to the push
//!    that it follows.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use witrpc_rt::{lock, wake};

use crate::client::answer::read_pulled;
use crate::client::flight::Flight;
use crate::codec::Codec;
use crate::error::CallError;
use crate::tag::{Notice, Operation, RequestTag};
use crate::transport::{Answer, ChannelError, ClientChannel, Limit};

use super::LinkStreams;
use super::request::Control;
use super::share::{Permit, Purpose, Turn};

/// What is known of the uploads of a link.
pub(super) struct Notices(Mutex<State>);

#[derive(Default)]
struct State {
    /// By number.
    uploads: BTreeMap<u64, Upload>,
    /// How many uploads there have been.
    registered: u64,
    under_way: Option<Pull>,
    /// A thread polls what is under way.
    is_polled: bool,
    /// It is to do so once more.
    again: bool,
}

#[derive(Default)]
struct Upload {
    /// How many were registered before.
    place: u64,
    has_room: bool,
    is_answered: bool,
    /// The server has no upload open: it does not know this one any more.
    is_gone: bool,
    failed: Option<NoticeError>,
    /// Who waits for one of these.
    waker: Option<Waker>,
}

/// Why no notice comes any more.
#[derive(Clone, Debug)]
pub(super) enum NoticeError {
    /// The request for notices has failed.
    Channel(ChannelError),
    /// So the server says.
    Server(CallError),
}

/// What a server tells of uploads, by their numbers; `None` when it has none open.
type Told = Option<Vec<(u64, Notice)>>;

/// A request for notices.
struct Pull {
    admission: Admission,
    flight: Flight<Arc<dyn ClientChannel>, Limit>,
    answer: Answer,
    /// How many uploads were registered when it was made: the server knows these.
    known: u64,
}

/// The lane that the request holds counts among those that streams may hold.
enum Admission {
    Wanted(Option<Turn>),
    Here(#[expect(dead_code, reason = "it is held")] Permit),
}

/// What an upload learns by. It is registered until it is dropped.
pub(in crate::client) struct Registration {
    streams: Arc<LinkStreams>,
    number: u64,
}

struct GoOn(Weak<LinkStreams>);

impl Wake for GoOn {
    fn wake(self: Arc<Self>) {
        if let Some(streams) = self.0.upgrade() {
            streams.pull_notices();
        }
    }
}

impl Notices {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    /// What to poll next.
    fn next(&mut self, channel: &Arc<dyn ClientChannel>) -> Option<Pull> {
        if let Some(pull) = self.under_way.take() {
            return Some(pull);
        }
        let is_wanted = self.uploads.values().any(|upload| upload.waker.is_some());
        is_wanted.then(|| Pull {
            admission: Admission::Wanted(None),
            flight: Flight::continuing(Arc::clone(channel)),
            answer: Answer::default(),
            known: self.registered,
        })
    }

    /// Takes what has come, and whom to wake for it.
    fn take(&mut self, known: u64, came: Result<Told, NoticeError>) -> Vec<Waker> {
        let notices = match came {
            Ok(Some(notices)) => notices,
            // The server has no upload open: those that it has had are gone.
            Ok(None) => return self.end(known, |upload| upload.is_gone = true),
            Err(error) => {
                return self.end(u64::MAX, |upload| upload.failed = Some(error.clone()));
            }
        };
        let mut woken = Vec::new();
        for (number, notice) in notices {
            // One that has gone meanwhile needs none.
            let Some(upload) = self.uploads.get_mut(&number) else { continue };
            match notice {
                Notice::Room => upload.has_room = true,
                Notice::Answered => upload.is_answered = true,
            }
            woken.extend(upload.waker.take());
        }
        woken
    }

    /// Has the uploads that wait learn that no notice comes, if the server knew of them.
    fn end(&mut self, known: u64, mut end: impl FnMut(&mut Upload)) -> Vec<Waker> {
        let waiting = self.uploads.values_mut().filter(|it| it.place < known && it.waker.is_some());
        waiting
            .filter_map(|upload| {
                end(upload);
                upload.waker.take()
            })
            .collect()
    }
}

impl LinkStreams {
    /// Has an upload that is open learn what the server tells of it.
    pub(in crate::client) fn register(self: &Arc<Self>, number: u64) -> Registration {
        let mut state = self.notices.lock();
        let place = state.registered;
        state.registered += 1;
        state.uploads.insert(number, Upload { place, ..Upload::default() });
        Registration { streams: Arc::clone(self), number }
    }

    fn pull_notices(self: &Arc<Self>) {
        if self.is_forked() {
            return;
        }
        let mut state = self.notices.lock();
        if state.is_polled {
            state.again = true;
            return;
        }
        state.is_polled = true;
        while let Some(mut pull) = state.next(&self.channel) {
            state.again = false;
            drop(state);
            match pull.poll(self) {
                Poll::Pending => {
                    state = self.notices.lock();
                    state.under_way = Some(pull);
                    if !state.again {
                        break;
                    }
                }
                Poll::Ready(came) => {
                    let known = pull.known;
                    drop(pull);
                    let woken = self.notices.lock().take(known, came);
                    woken.into_iter().for_each(wake);
                    state = self.notices.lock();
                }
            }
        }
        state.is_polled = false;
    }
}

impl Pull {
    fn waits_for_permit(&self) -> bool {
        matches!(self.admission, Admission::Wanted(_))
    }

    fn poll(&mut self, streams: &Arc<LinkStreams>) -> Poll<Result<Told, NoticeError>> {
        let waker = Waker::from(Arc::new(GoOn(Arc::downgrade(streams))));
        let mut cx = Context::from_waker(&waker);
        if let Admission::Wanted(turn) = &mut self.admission {
            if let Some(lost) = streams.channel.lost() {
                return Poll::Ready(Err(NoticeError::Channel(lost)));
            }
            let share = &streams.share;
            let permit = share.poll_permit(Purpose::Kept, &cx, turn, &mut Limit::Never);
            let permit = ready!(permit).map_err(NoticeError::Channel)?;
            self.admission = Admission::Here(permit);
        }
        if !self.flight.is_sent() {
            let control = Control::new(RequestTag::of(Operation::PullNotices), streams.codec);
            let sent = control.with_message(|message| self.flight.poll_try_send(&mut cx, message));
            ready!(sent).map_err(NoticeError::Channel)?;
            self.flight.expect_late();
        }
        ready!(self.flight.poll_answer(&mut cx, &mut self.answer)).map_err(NoticeError::Channel)?;
        Poll::Ready(read(&mut self.answer).map_err(NoticeError::Server))
    }
}

/// Reads the answer to a request for notices; `None` when the server has no upload open.
fn read(answer: &mut Answer) -> Result<Told, CallError> {
    // Not encoded by a codec.
    if read_pulled(answer, Codec::default(), "notices")?.is_none() {
        return Ok(None);
    }
    let mut message = vec![0; answer.payload.len()];
    answer.payload.copy_to(0, &mut message);
    let notices = Notice::read_all(&message).ok_or_else(|| CallError::Protocol {
        message: "what it says of uploads makes no sense".to_owned(),
    })?;
    Ok(Some(notices))
}

impl Registration {
    /// Completes when there is room for more items, with `true`; or with `false` when the method has
    /// ended, and wants none. An upload that the server does not know any more was answered or given up.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<bool, NoticeError>> {
        self.poll(cx, |upload| {
            let has_room = mem::take(&mut upload.has_room);
            let is_over = upload.is_answered || upload.is_gone;
            (has_room || is_over).then_some(Ok(has_room))
        })
    }

    /// Completes when a pull is answered at once.
    pub(super) fn poll_answered(&self, cx: &Context<'_>) -> Poll<Result<(), NoticeError>> {
        self.poll(cx, |upload| match upload {
            Upload { is_answered: true, .. } => Some(Ok(())),
            Upload { is_gone: true, .. } => {
                let message = "it does not know an upload any more".to_owned();
                Some(Err(NoticeError::Server(CallError::Protocol { message })))
            }
            _ => None,
        })
    }

    fn poll<T>(
        &self,
        cx: &Context<'_>,
        look: impl FnOnce(&mut Upload) -> Option<Result<T, NoticeError>>,
    ) -> Poll<Result<T, NoticeError>> {
        if self.streams.channel.lanes() < 2 {
            // The only one is for the items.
            return Poll::Ready(Err(NoticeError::Channel(ChannelError::NoFreeLane)));
        }
        // Cloned, and dropped, without the lock: it is code of the user's.
        let waker = cx.waker().clone();
        let mut state = self.streams.notices.lock();
        let upload = state.uploads.get_mut(&self.number).expect("it is registered");
        let found = look(upload).or_else(|| upload.failed.clone().map(Err));
        if let Some(found) = found {
            return Poll::Ready(found);
        }
        let former = upload.waker.replace(waker);
        // What waits for a permit is polled again too: the connection may be lost by now.
        let must_pull = state.under_way.as_ref().is_none_or(Pull::waits_for_permit);
        drop(state);
        drop(former);
        if must_pull {
            self.streams.pull_notices();
        }
        Poll::Pending
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if !self.streams.is_forked() {
            let upload = self.streams.notices.lock().uploads.remove(&self.number);
            drop(upload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::{AnswerTag, Status};
    use crate::transport::{Outgoing, Sending, Ticket};

    /// Of a server that has no upload open.
    #[derive(Debug)]
    struct Ended;

    impl ClientChannel for Ended {
        fn welcome(&self) -> &[u8] {
            &[]
        }

        fn try_send(&self, _: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
            Ok(Some(Ticket { lane: 0, seq: 1 }))
        }

        fn poll_send(
            &self,
            _: &mut Context<'_>,
            _: &mut Sending,
            _: Outgoing<'_>,
            _: &mut Limit,
        ) -> Poll<Result<Ticket, ChannelError>> {
            unreachable!("there is always a lane")
        }

        fn wait_answer(
            &self,
            _: Ticket,
            _: &mut Limit,
            _: &mut Answer,
        ) -> Result<(), ChannelError> {
            unreachable!("notices are polled for")
        }

        fn poll_answer(
            &self,
            _: &mut Context<'_>,
            _: &mut Ticket,
            _: &mut Limit,
            answer: &mut Answer,
        ) -> Poll<Result<(), ChannelError>> {
            answer.tag = AnswerTag { status: Status::End, raw: false }.bits();
            Poll::Ready(Ok(()))
        }

        fn abandon(&self, _: Ticket) {}

        fn lanes(&self) -> u32 {
            4
        }

        fn lost(&self) -> Option<ChannelError> {
            None
        }

        fn disconnect(&self) {}
    }

    #[test]
    fn an_upload_that_the_server_has_answered_waits_for_no_room() {
        let channel = Arc::new(Ended) as Arc<dyn ClientChannel>;
        let streams = LinkStreams::new(&channel, Codec::default());
        let cx = Context::from_waker(Waker::noop());
        let [feeds, waits] = [1, 2].map(|number| streams.register(number));
        assert!(feeds.poll_room(&cx).is_pending());
        assert!(matches!(feeds.poll_room(&cx), Poll::Ready(Ok(false))), "its answer is there");
        assert!(waits.poll_answered(&cx).is_pending());
        assert!(matches!(waits.poll_answered(&cx), Poll::Ready(Err(NoticeError::Server(_)))));
    }
}
