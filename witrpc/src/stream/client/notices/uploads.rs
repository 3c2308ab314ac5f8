//! What is known of the uploads of a link, and who waits for more.
//!
//! # Invariants
//!
//! All of it stands under one lock, under which no code of the user's runs.
//!
//! 1. An upload is listed before the server can hear of it, and until its owner has gone. So every notice
//!    finds it, though its owner may not know yet that it is open: a method may end at once.
//! 2. A notice stays until its owner has looked: it may come before the answer to the push that it follows.
//! 3. Whoever waits has looked, and leaves its waker, under one hold of the lock. Whoever notes something
//!    takes that waker under the lock, and wakes it after. So no wake-up is lost.
//! 4. That the server has no upload open says nothing of those that were opened after it was asked: their
//!    [`place`](Upload::place) is not below the number of those that were open by then.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

use witrpc_transport::ChannelError;

use crate::error::CallError;
use crate::tag::Notice;

/// The uploads of a link, by number.
#[derive(Default)]
pub struct Uploads {
    listed: BTreeMap<u64, Upload>,
    /// How many have been open.
    opened: u64,
}

/// What the server has told of one.
#[derive(Default)]
pub struct Upload {
    /// How many were open before; none before its owner knows that it is open.
    place: Option<u64>,
    /// How long it may wait for a lane on which the server is asked.
    patience: Duration,
    /// Until when it does, while it waits: from when it began to, or the last request was answered.
    until: Option<Instant>,
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
pub enum NoticeError {
    /// The request for notices has failed.
    Channel(ChannelError),
    /// So the server says.
    Server(CallError),
}

/// What has come of a request for notices.
pub enum Brought {
    /// This is told of uploads, by their numbers.
    Notices(Vec<(u64, Notice)>),
    /// The server has no upload open.
    NoneOpen,
    /// It got no lane in time.
    NoLane(ChannelError),
    /// Nobody will be told anything.
    Failed(NoticeError),
}

impl Uploads {
    /// The server may hear of an upload from now on.
    pub fn list(&mut self, number: u64) {
        self.listed.insert(number, Upload::default());
    }

    /// An upload is open.
    pub fn note_open(&mut self, number: u64, patience: Duration) {
        let upload = self.listed.get_mut(&number).expect("it is listed");
        (upload.place, upload.patience) = (Some(self.opened), patience);
        self.opened += 1;
    }

    /// Nobody looks for news of an upload any more.
    pub fn remove(&mut self, number: u64) -> Option<Upload> {
        self.listed.remove(&number)
    }

    /// Until when a lane is to be waited for: until the first of those that wait gives up. `None` if none
    /// waits.
    pub fn until(&self) -> Option<Instant> {
        self.listed.values().filter_map(|upload| upload.until).min()
    }

    /// How many have been open: a request that is made now finds all of these, or they have ended.
    pub fn known(&self) -> u64 {
        self.opened
    }

    /// Looks for news of an upload. If there is none, it waits, and gets its former waker in return. What is
    /// left of the waker is to be dropped without the lock.
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

    /// Takes what a request has brought that was made when so many had been open. Returns whom to wake.
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
            // Its owner has gone meanwhile.
            let Some(upload) = self.listed.get_mut(&number) else { continue };
            match notice {
                Notice::Room => upload.has_room = true,
                Notice::Answered => upload.is_answered = true,
            }
            woken.extend(upload.stop_waiting());
        }
        woken
    }

    /// A request has had a lane: the wait for the next one begins now.
    fn wait_anew(&mut self) {
        let now = Instant::now();
        for upload in self.listed.values_mut().filter(|upload| upload.until.is_some()) {
            upload.until = Some(later(now, upload.patience));
        }
    }

    /// Has those that wait learn that no notice comes. Returns whom to wake.
    fn end(&mut self, is_meant: impl Fn(&Upload) -> bool, end: impl Fn(&mut Upload)) -> Vec<Waker> {
        let waiting = self.listed.values_mut().filter(|it| it.waker.is_some() && is_meant(it));
        let ended = waiting.filter_map(|upload| {
            end(upload);
            upload.stop_waiting()
        });
        ended.collect()
    }
}

/// So much later; for a time too long for the clock, a day.
fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400))
}

impl Upload {
    fn stop_waiting(&mut self) -> Option<Waker> {
        self.until = None;
        self.waker.take()
    }

    /// That there is room for more items, or that there will be none.
    pub fn take_room(&mut self) -> Option<Result<bool, NoticeError>> {
        let has_room = mem::take(&mut self.has_room);
        let is_over = self.is_answered || self.is_gone;
        (has_room || is_over).then_some(Ok(has_room))
    }

    /// That a pull is answered at once.
    pub fn see_answered(&mut self) -> Option<Result<(), NoticeError>> {
        if self.is_answered {
            return Some(Ok(()));
        }
        let message = || "it does not know an upload any more".to_owned();
        self.is_gone.then(|| Err(NoticeError::Server(CallError::Protocol { message: message() })))
    }
}
