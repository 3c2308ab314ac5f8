//! Handlers that run as jobs of clients that have gone.
//!
//! A client has as many calls in flight as lanes. But it may go while handlers of its calls wait, and
//! come back, so that its lanes bound nothing that it has left behind. So a server counts these.
//!
//! # Invariant
//!
//! [`LeftBehind`] counts the jobs of all clients that have gone. Each client has one word: its jobs,
//! and whether it has gone. Whatever changes the word by one exchange knows from what stood there
//! before which of the two counts it: a job that begins or ends after the client has gone does, the
//! going itself for all that there are by then. In between, the sum may be seen too low.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};

use witrpc_transport::Session;

use crate::call::server::session::ClientSession;

/// How many handlers may run as jobs of clients that have gone. With more, no new clients are let in.
pub(crate) const MAX_LEFT_BEHIND: u64 = 16_384;

/// Says that the client has gone; the bits below count its jobs.
const GONE: u64 = 1 << 63;

/// The handlers of clients that have gone, of one server.
#[derive(Debug, Default)]
pub(crate) struct LeftBehind(AtomicI64);

impl LeftBehind {
    /// Returns whether there are as many as there may be.
    pub(crate) fn is_full(&self) -> bool {
        u64::try_from(self.0.load(Relaxed)).is_ok_and(|count| count >= MAX_LEFT_BEHIND)
    }
}

/// The handlers of one client that run as jobs.
#[derive(Debug, Default)]
pub(crate) struct ClientJobs(AtomicU64);

impl ClientJobs {
    /// Counts the client's jobs as left behind from now on.
    pub(crate) fn leave(&self, left_behind: &LeftBehind) {
        let before = self.0.fetch_or(GONE, Relaxed);
        if before & GONE == 0 {
            left_behind.0.fetch_add(before as i64, Relaxed);
        }
    }
}

/// One handler that runs as a job, until it is dropped.
pub(crate) struct ClientJob(Session);

impl ClientJob {
    /// Counts a job of this client.
    pub(crate) fn new(session: &Session) -> Self {
        if ClientSession::of(session).jobs().0.fetch_add(1, Relaxed) & GONE != 0 {
            ClientSession::of(session).left_behind().0.fetch_add(1, Relaxed);
        }
        Self(session.clone())
    }
}

impl Drop for ClientJob {
    fn drop(&mut self) {
        let client = ClientSession::of(&self.0);
        if client.jobs().0.fetch_sub(1, Relaxed) & GONE != 0 {
            client.left_behind().0.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use crate::codec::Codec;
    use crate::observe::counters::CounterRegistry;

    use super::*;

    #[test]
    fn jobs_count_from_when_their_client_goes_until_they_end() {
        let ledger = Arc::<CounterRegistry>::default();
        let count = || ledger.left_behind().0.load(Relaxed);
        let sessions = [(); 2].map(|()| ClientSession::begin(Codec::Postcard, Arc::clone(&ledger)));
        let [gone, stays] = sessions;
        let (early, late) = (ClientJob::new(&gone), ClientJob::new(&gone));
        let other = ClientJob::new(&stays);
        drop(early);
        assert_eq!(count(), 0, "nobody has gone");
        drop([(); 2].map(|()| ClientSession::of(&gone).leave()));
        assert_eq!(count(), 1, "once, however often it is said");
        let later = ClientJob::new(&gone);
        assert_eq!(count(), 2);
        drop((late, later, other));
        assert_eq!(count(), 0);
    }

    #[test]
    fn none_is_counted_twice_or_for_ever_whatever_crosses() {
        let ledger = Arc::<CounterRegistry>::default();
        for _ in 0..200 {
            let session = ClientSession::begin(Codec::Postcard, Arc::clone(&ledger));
            let held = thread::scope(|scope| {
                let job = scope.spawn(|| {
                    drop(ClientJob::new(&session));
                    ClientJob::new(&session)
                });
                scope.spawn(|| drop(ClientSession::of(&session).leave()));
                job.join().expect("it does not panic")
            });
            assert_eq!(ledger.left_behind().0.load(Relaxed), 1);
            drop(held);
            assert_eq!(ledger.left_behind().0.load(Relaxed), 0);
        }
    }
}
