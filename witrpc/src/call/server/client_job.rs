//! A handler that runs as a job, counted for its client.

use witrpc_transport::Session;

use super::session::ClientSession;

/// One handler that runs as a job, until it is dropped.
pub struct ClientJob {
    session: Session,
    request_len: usize,
}

impl ClientJob {
    /// Counts a job of this client, with a request of that length.
    pub fn new(session: &Session, request_len: usize) -> Self {
        let client = ClientSession::of(session);
        client.jobs.begin(request_len, client.left_behind());
        Self { session: session.clone(), request_len }
    }
}

impl Drop for ClientJob {
    fn drop(&mut self) {
        let client = ClientSession::of(&self.session);
        client.jobs.end(self.request_len, client.left_behind());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use crate::codec::Codec;
    use crate::observe::counters::CounterRegistry;

    use super::*;

    fn begin(counter_registry: &Arc<CounterRegistry>) -> Session {
        ClientSession::begin(Codec::Postcard, Arc::clone(counter_registry), Vec::new())
    }

    #[test]
    fn jobs_count_from_when_their_client_goes_until_they_end() {
        let counter_registry = Arc::<CounterRegistry>::default();
        let count = || counter_registry.left_behind.count().0;
        let sessions = [(); 2].map(|()| begin(&counter_registry));
        let [gone, stays] = sessions;
        let (early, late) = (ClientJob::new(&gone, 100), ClientJob::new(&gone, 100));
        let other = ClientJob::new(&stays, 100);
        drop(early);
        assert_eq!(count(), 0, "no client has gone");
        (0..2).for_each(|_| ClientSession::of(&gone).leave());
        assert_eq!(count(), 1, "once, however often it is said");
        let later = ClientJob::new(&gone, 100);
        assert_eq!(count(), 2);
        drop((late, later, other));
        assert_eq!(count(), 0);
    }

    #[test]
    fn none_is_counted_twice_or_for_ever_whatever_crosses() {
        let counter_registry = Arc::<CounterRegistry>::default();
        for _ in 0..200 {
            let session = begin(&counter_registry);
            let held = thread::scope(|scope| {
                let job = scope.spawn(|| {
                    drop(ClientJob::new(&session, 100));
                    ClientJob::new(&session, 100)
                });
                scope.spawn(|| ClientSession::of(&session).leave());
                job.join().expect("it does not panic")
            });
            assert_eq!(counter_registry.left_behind.count().0, 1);
            drop(held);
            assert_eq!(counter_registry.left_behind.count().0, 0);
        }
    }
}
