//! A server of the probe at a place, and its clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use witrpc::{Async, Blocking, ClientBuilder, Endpoint, WitServer, WitServerBuilder};

use crate::service::{Handlers, Notes, ProbeAsyncClient, ProbeClient, ProbeServer};
use crate::{Limits, MakePlace, MeetingPlace};

/// How long a test waits for one event before it fails: far longer than an event takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The limits of most cases.
pub(crate) fn limits() -> Limits {
    Limits::default().with_lanes(16).with_max_clients(16)
}

/// A server of the probe.
pub(crate) struct Fixture {
    pub(crate) server: WitServer,
    pub(crate) notes: Arc<Notes>,
    place: MeetingPlace,
    _hangs: HangGuard,
}

impl Fixture {
    pub(crate) fn new(make: MakePlace<'_>, limits: Limits) -> Self {
        Self::with(make, limits, |server| server)
    }

    pub(crate) fn with(
        make: MakePlace<'_>,
        limits: Limits,
        set: impl FnOnce(WitServerBuilder) -> WitServerBuilder,
    ) -> Self {
        let place = make(limits);
        let notes = Arc::<Notes>::default();
        let server = serve(&place, &notes, set);
        Self { server, notes, place, _hangs: HangGuard::new() }
    }

    /// Returns a builder of clients, whose calls end when they take too long.
    pub(crate) fn builder(&self) -> ClientBuilder<ProbeClient, Blocking> {
        builder(&self.place)
    }

    /// Returns whether the server has no other endpoint than that of its clients.
    pub(crate) fn has_one_endpoint(&self) -> bool {
        self.place.others.is_empty()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.place.client.clone()
    }

    pub(crate) fn client(&self) -> ProbeClient {
        self.builder().connect().expect("it is served")
    }

    pub(crate) fn later(&self) -> ProbeAsyncClient {
        block_on(self.later_builder().connect()).expect("it is served")
    }

    pub(crate) fn later_builder(&self) -> ClientBuilder<ProbeAsyncClient, Async> {
        ProbeAsyncClient::builder(self.place.client.clone()).call_timeout(PATIENCE)
    }

    /// Starts a server at the same place, once the first has ended.
    pub(crate) fn serve_again(&mut self) {
        self.server = serve(&self.place, &self.notes, |server| server);
    }

    /// Waits until this many calls of `stay` have begun.
    pub(crate) fn wait_for_stays(&self, count: u64) {
        eventually("the calls have begun", || load(&self.notes.stays) == count);
    }
}

/// Starts a server of the probe.
pub(crate) fn serve(
    place: &MeetingPlace,
    notes: &Arc<Notes>,
    set: impl FnOnce(WitServerBuilder) -> WitServerBuilder,
) -> WitServer {
    let notes = Arc::clone(notes);
    let handlers = move |events| Handlers { events, notes: Arc::clone(&notes) };
    let server = WitServer::builder().listen(place.server.clone()).max_workers(16);
    let others = place.others.iter().cloned();
    let server = others.fold(server, |server, endpoint| server.also_listen(endpoint));
    set(server).service(ProbeServer::with_events(handlers)).start().expect("it can be served")
}

/// Returns a builder of clients at a place.
pub(crate) fn builder(place: &MeetingPlace) -> ClientBuilder<ProbeClient, Blocking> {
    ProbeClient::builder(place.client.clone()).call_timeout(PATIENCE)
}

pub(crate) fn load(count: &AtomicU64) -> u64 {
    count.load(SeqCst)
}

/// Checks repeatedly until `is_true` holds, for what no event reports.
pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < PATIENCE, "waited for {PATIENCE:?} in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Aborts the process unless it is dropped in time: a case that hangs fails instead of stopping all others.
pub(crate) struct HangGuard(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

impl HangGuard {
    pub(crate) fn new() -> Self {
        let (alive, over) = mpsc::channel::<()>();
        let case = thread::current().name().unwrap_or("a case").to_owned();
        thread::spawn(move || {
            if over.recv_timeout(3 * PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{case} hangs");
                std::process::abort();
            }
        });
        Self(alive)
    }
}
