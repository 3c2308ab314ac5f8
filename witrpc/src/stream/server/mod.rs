//! The server's side of streams: the items that methods return, and the items that clients upload.
//!
//! No stream holds a lane or a thread while nothing happens in it. Items that a method makes wait in
//! its [`stream_sender`] until the client pulls. Items that a client pushes wait in an
//! [`upload_receiver`] until the method takes them. Both are bounded: at the bound, the task that
//! makes items waits.
//!
//! # Invariants
//!
//! 1. The client numbers its streams, and uses each number once. [`ServerStreams`] lists a stream from
//!    the moment it is open until the client has received its end, has closed it or has left.
//! 2. At most one pull and one push of a stream are unanswered. A second one is refused, so the state of
//!    a stream is bounded.
//! 3. The context of a stream's method checks its stream through the [`stream_cancel`]. The stream is cut
//!    once the client does not want it any more, at the latest when it is removed.
//! 4. No request of an upload waits unless the client says so. Later news goes with the one request that
//!    waits for all uploads: see [`notices`].
//! 5. The other costs of streams are bounded too: see [`stream_limits`] and [`threads`].
//! 6. Locks of this folder are leaves: no user code runs under them, and no other lock of this library is
//!    taken. There is one exception: [`ServerStreams::open`] takes the lock of the notices under the lock
//!    of the table. Answers are given, and wakers cloned, woken and dropped, after the locks are
//!    released.

pub mod not_opened;
pub mod notices;
pub mod server_stream;
pub mod slot;
pub mod stream_cancel;
pub mod stream_limits;
pub mod stream_sender;
pub mod threads;
mod unread;
pub mod upload_receiver;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use not_opened::NotOpened;
use notices::Notices;
use server_stream::{ServerStream, StreamStatus};
use slot::Unheard;
use stream_limits::StreamLimits;
use threads::{UploadJob, UploadThreads};
use witrpc_rt::lock;
use witrpc_transport::Session;

use crate::call::server::pending_reply::PendingReply;
use crate::call::server::session::ClientSession;
use crate::codec::Decoder;
use crate::error::StreamLimit;
use crate::stream::protocol::{MAX_STREAMS, UploadState};

/// The most streams to remember that were closed before they were opened. A stream that a client
/// may still open has fewer than this many successors, because the client has no more lanes.
const MAX_CLOSED_EARLY: usize = 4096;

/// The streams of a client.
#[derive(Default)]
pub struct ServerStreams {
    table: Mutex<Table>,
    /// The limits on what the streams cost.
    pub load: Arc<StreamLimits>,
    /// The threads for methods that wait for uploaded items.
    pub threads: Arc<UploadThreads>,
    /// The notices of the client's uploads.
    pub notices: Arc<Notices>,
}

#[derive(Default)]
struct Table {
    open: HashMap<u64, Arc<dyn ServerStream>>,
    closed_early: BTreeSet<u64>,
    /// Whether the client has disconnected.
    left: bool,
}

/// The rest of the streams of a disconnected client. Dropping it runs user code: hooks for calls
/// whose answers no client receives, and the drops of items that no method took.
#[must_use = "where it is dropped, code of users runs"]
pub struct Remains {
    unheard: Vec<Unheard>,
    jobs: Vec<UploadJob>,
    server_streams: Vec<Arc<dyn ServerStream>>,
}

impl Remains {
    pub fn is_empty(&self) -> bool {
        self.unheard.is_empty() && self.jobs.is_empty() && self.server_streams.is_empty()
    }

    /// Drops it in steps, one for each call of `run`.
    pub fn drop_each(self, mut run: impl FnMut(&mut dyn FnMut())) {
        let Self { unheard, jobs, server_streams } = self;
        drop_each(unheard, &mut run);
        drop_each(jobs, &mut run);
        drop_each(server_streams, &mut run);
    }
}

fn drop_each<T>(all: Vec<T>, run: &mut impl FnMut(&mut dyn FnMut())) {
    for each in all {
        let mut each = Some(each);
        run(&mut || drop(each.take()));
    }
}

impl ServerStreams {
    /// Returns the streams of the client that has this session.
    pub fn of(session: &Session) -> &Self {
        ClientSession::of(session).part()
    }

    /// Adds a stream.
    pub fn open(&self, number: u64, flow: Arc<dyn ServerStream>) -> Result<(), NotOpened> {
        let mut table = lock(&self.table);
        if table.left || table.closed_early.remove(&number) {
            return Err(NotOpened::Closed);
        }
        if table.open.contains_key(&number) {
            return Err(NotOpened::NumberInUse);
        }
        if table.open.len() >= MAX_STREAMS {
            return Err(NotOpened::TooMany { limit: StreamLimit::Open, max: MAX_STREAMS });
        }
        if flow.is_upload() {
            self.notices.opened(number);
        }
        table.open.insert(number, flow);
        Ok(())
    }

    /// Pulls from a stream, if there is one of that number.
    pub fn pull(&self, number: u64, asked: PendingReply) {
        match self.get(number) {
            Some(flow) => self.follow(number, flow.pull(asked)),
            None => asked.reply().end(),
        }
    }

    /// Pushes a message of `len` bytes into a stream, if there is one of that number.
    pub fn push(&self, number: u64, asked: PendingReply, len: usize, items: &mut Decoder<'_>) {
        match self.get(number) {
            Some(flow) => self.follow(number, flow.push(asked, len, items)),
            None => asked.reply().end(),
        }
    }

    /// Removes a stream because its client closes it, now or as soon as it is opened.
    pub fn close(&self, number: u64) {
        let mut table = lock(&self.table);
        let flow = table.open.remove(&number);
        if flow.is_none() && !table.left {
            table.closed_early.insert(number);
            if table.closed_early.len() > MAX_CLOSED_EARLY {
                table.closed_early.pop_first();
            }
        }
        drop(table);
        drop(flow.and_then(|flow| flow.close()));
        self.notices.closed(number);
        drop(self.threads.call_off(number));
    }

    /// Closes an upload from which no item was taken, if there is one, and answers how far it came.
    pub fn give_up(&self, number: u64, asked: PendingReply) {
        let Some(flow) = self.get(number) else { return asked.reply().end() };
        // A waiting job can be withdrawn once; it then never begins.
        let job = self.threads.call_off(number);
        let state = if job.is_some() { UploadState::Queued } else { flow.give_up() };
        if state != UploadState::GoesOn {
            self.forget(number);
            drop(flow.close());
        }
        drop(job);
        asked.reply().number(state as u64);
    }

    /// Removes a stream that has ended.
    pub fn forget(&self, number: u64) {
        let flow = lock(&self.table).open.remove(&number);
        drop(flow);
        self.notices.closed(number);
    }

    /// Ends all streams, because the client has disconnected. Runs no user code except wakers.
    pub fn leave(&self) -> Remains {
        let mut table = lock(&self.table);
        table.left = true;
        let open = std::mem::take(&mut table.open);
        drop(table);
        let unheard = open.values().filter_map(|flow| flow.close()).collect();
        self.notices.leave();
        Remains {
            unheard,
            jobs: self.threads.leave(),
            server_streams: open.into_values().collect(),
        }
    }

    fn follow(&self, number: u64, status: StreamStatus) {
        if status == StreamStatus::Over {
            self.forget(number);
        }
    }

    fn get(&self, number: u64) -> Option<Arc<dyn ServerStream>> {
        lock(&self.table).open.get(&number).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl ServerStream for Counts {
        fn pull(&self, _asked: PendingReply) -> StreamStatus {
            StreamStatus::GoesOn
        }

        fn close(&self) -> Option<Unheard> {
            self.0.fetch_add(1, Relaxed);
            None
        }
    }

    fn open(server_streams: &ServerStreams, number: u64) -> Result<Arc<Counts>, NotOpened> {
        let flow = Arc::<Counts>::default();
        server_streams.open(number, Arc::clone(&flow) as _).map(|()| flow)
    }

    #[test]
    fn a_stream_is_closed_once_by_its_close_or_the_end_of_its_client() {
        let server_streams = ServerStreams::default();
        let [closed, left] = [1, 2].map(|number| open(&server_streams, number).ok().unwrap());
        server_streams.close(1);
        drop([server_streams.leave(), server_streams.leave()]);
        assert_eq!((closed.0.load(Relaxed), left.0.load(Relaxed)), (1, 1));
        assert!(matches!(open(&server_streams, 3), Err(NotOpened::Closed)), "the client has gone");
    }

    #[test]
    fn a_stream_that_was_closed_early_is_never_opened() {
        let server_streams = ServerStreams::default();
        server_streams.close(7);
        assert!(matches!(open(&server_streams, 7), Err(NotOpened::Closed)));
        assert!(open(&server_streams, 8).is_ok());
        assert!(matches!(open(&server_streams, 8), Err(NotOpened::NumberInUse)));
    }

    #[test]
    fn what_is_kept_of_a_client_has_a_bound() {
        let server_streams = ServerStreams::default();
        (0..10 * MAX_CLOSED_EARLY as u64).for_each(|number| server_streams.close(number));
        assert_eq!(lock(&server_streams.table).closed_early.len(), MAX_CLOSED_EARLY);
        let first = 100_000;
        for number in 0..MAX_STREAMS as u64 {
            assert!(open(&server_streams, first + number).is_ok());
        }
        assert!(matches!(
            open(&server_streams, 1),
            Err(NotOpened::TooMany { limit: StreamLimit::Open, .. })
        ));
        server_streams.forget(first);
        assert!(open(&server_streams, 1).is_ok());
    }
}
