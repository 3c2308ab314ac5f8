//! The table of a link's uploads: their known state, and which of them wait.
//!
//! # Invariants
//!
//! All of it is under one lock. No user code runs under that lock.
//!
//! 1. An upload is listed before the server can hear of it, until its owner drops it. So every notice
//!    finds it, even if its owner does not know yet that it is open: a method may end at once.
//! 2. A notice stays until its owner has looked: it may come before the answer to the push that it
//!    follows.
//! 3. A thread that begins to wait checks the state, and leaves its waker, under one hold of the lock. A
//!    thread that changes the state takes that waker under the lock, and wakes it afterwards. So no
//!    wake-up is lost.
//! 4. The answer that the server has no upload open does not concern uploads that were opened after the
//!    request. Their [`place`](Upload::place) is not below the number of uploads that were open at the
//!    request.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

use witrpc_transport::ChannelError;

use crate::error::CallError;
use crate::stream::protocol::Notice;

/// The uploads of a link, by number.
#[derive(Default)]
pub struct Uploads {
    listed: BTreeMap<u64, Upload>,
    /// How many uploads have been open.
    opened: u64,
}

/// The state of one upload, as the server has reported it.
#[derive(Default)]
pub struct Upload {
    /// How many uploads were open before; `None` until its owner knows that it is open.
    place: Option<u64>,
    /// How long it may wait for a lane for the request to the server.
    patience: Duration,
    /// The end of that wait, while it waits. The wait counts from its beginning, or from the last
    /// answered request.
    until: Option<Instant>,
    has_room: bool,
    is_answered: bool,
    /// Whether the server has no upload open, and so does not know this one.
    is_gone: bool,
    failed: Option<NoticeError>,
    /// The waker to call when one of these changes.
    waker: Option<Waker>,
}

/// The reason why no further notice comes.
#[derive(Clone, Debug)]
pub enum NoticeError {
    /// The request for notices has failed.
    Channel(ChannelError),
    /// The server said so.
    Server(CallError),
}

/// The outcome of a request for notices.
pub enum Brought {
    /// Notices of uploads, by their numbers.
    Notices(Vec<(u64, Notice)>),
    /// The server has no upload open.
    NoneOpen,
    /// The request got no lane in time.
    NoLane(ChannelError),
    /// No notice comes for any upload any more.
    Failed(NoticeError),
}

impl Uploads {
    /// Lists an upload: the server may hear of it from now on.
    pub fn list(&mut self, number: u64) {
        self.listed.insert(number, Upload::default());
    }

    /// Notes that an upload is open.
    pub fn note_open(&mut self, number: u64, patience: Duration) {
        let upload = self.listed.get_mut(&number).expect("it is listed");
        (upload.place, upload.patience) = (Some(self.opened), patience);
        self.opened += 1;
    }

    /// Removes an upload whose owner no longer wants notices.
    pub fn remove(&mut self, number: u64) -> Option<Upload> {
        self.listed.remove(&number)
    }

    /// Returns the limit of the wait for a lane: when the first of the waiting uploads gives up.
    /// Returns `None` if no upload waits.
    pub fn until(&self) -> Option<Instant> {
        self.listed.values().filter_map(|upload| upload.until).min()
    }

    /// Returns how many uploads have been open. A request that is made now finds all of these, unless
    /// they have ended.
    pub fn known(&self) -> u64 {
        self.opened
    }

    /// Checks for news of an upload. If there is none, the upload waits, and `waker` receives its
    /// former waker. The caller must drop the rest of the waker without the lock.
    pub fn look<T>(
        &mut self,
        number: u64,
        waker: &mut Option<Waker>,
        look: impl FnOnce(&mut Upload) -> Option<Result<T, NoticeError>>,
    ) -> Option<Result<T, NoticeError>> {
        let upload = self.listed.get_mut(&number).expect("it is listed");
        let news = look(upload).or_else(|| upload.failed.clone().map(Err));
        if news.is_none() {
            mem::swap(&mut upload.waker, waker);
            let patience = upload.patience;
            upload.until.get_or_insert_with(|| later(Instant::now(), patience));
        }
        news
    }

    /// Takes the outcome of a request that was made when `known` uploads had been open. Returns the
    /// wakers to wake.
    pub fn take(&mut self, known: u64, came: Brought) -> Vec<Waker> {
        match came {
            Brought::Notices(notices) => {
                let woken = self.note_all(notices);
                self.wait_anew();
                woken
            }
            Brought::NoneOpen => {
                let is_known = |upload: &Upload| upload.place.is_some_and(|place| place < known);
                let woken = self.end(is_known, |upload| upload.is_gone = true);
                self.wait_anew();
                woken
            }
            Brought::NoLane(refusal) => {
                let now = Instant::now();
                let is_due = |upload: &Upload| upload.until.is_some_and(|until| until <= now);
                let refused = NoticeError::Channel(refusal);
                self.end(is_due, |upload| upload.failed = Some(refused.clone()))
            }
            Brought::Failed(error) => {
                self.end(|_| true, |upload| upload.failed = Some(error.clone()))
            }
        }
    }

    fn note_all(&mut self, notices: Vec<(u64, Notice)>) -> Vec<Waker> {
        let mut woken = Vec::new();
        for (number, notice) in notices {
            // Its owner has dropped it meanwhile.
            let Some(upload) = self.listed.get_mut(&number) else { continue };
            match notice {
                Notice::Room => upload.has_room = true,
                Notice::Answered => upload.is_answered = true,
            }
            woken.extend(upload.stop_waiting());
        }
        woken
    }

    /// Records that a request had a lane, so that the wait for the next lane begins now.
    fn wait_anew(&mut self) {
        let now = Instant::now();
        for upload in self.listed.values_mut().filter(|upload| upload.until.is_some()) {
            upload.until = Some(later(now, upload.patience));
        }
    }

    /// Reports to the waiting uploads that no notice comes. Returns the wakers to wake.
    fn end(&mut self, is_meant: impl Fn(&Upload) -> bool, end: impl Fn(&mut Upload)) -> Vec<Waker> {
        let waiting = self.listed.values_mut().filter(|it| it.waker.is_some() && is_meant(it));
        let ended = waiting.filter_map(|upload| {
            end(upload);
            upload.stop_waiting()
        });
        ended.collect()
    }
}

/// Returns `now + time`; for a time too long for the clock, `now` and a day.
fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400))
}

impl Upload {
    fn stop_waiting(&mut self) -> Option<Waker> {
        self.until = None;
        self.waker.take()
    }

    /// Returns whether there is room for more items, or will be none.
    pub fn take_room(&mut self) -> Option<Result<bool, NoticeError>> {
        let has_room = mem::take(&mut self.has_room);
        let is_over = self.is_answered || self.is_gone;
        (has_room || is_over).then_some(Ok(has_room))
    }

    /// Returns whether a pull would be answered at once.
    pub fn see_answered(&mut self) -> Option<Result<(), NoticeError>> {
        if self.is_answered {
            return Some(Ok(()));
        }
        let message = || "it does not know an upload any more".to_owned();
        self.is_gone.then(|| Err(NoticeError::Server(CallError::Protocol { message: message() })))
    }
}
