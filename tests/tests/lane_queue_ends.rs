//! Calls that wait for a lane when the connection or the server ends. Each ends with an error,
//! however it waits, with and without a time limit.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::join_all;
use rustix::process::Signal;
use witrpc::{CallError, DisconnectReason};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::fixture::{Fixture, FixtureConfig, ServerCommand, ServerReply, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// The lanes of each connection.
const LANES: u64 = 2;

/// How many calls of each kind wait for a lane.
const WAITING: usize = 3;

/// How often each connection is ended, with each time limit.
const ROUNDS: usize = 5;

/// The gate at which the calls with a lane wait.
const GATE: u64 = 1;

/// A call, and its outcome.
type Ended = (&'static str, Result<i64, CallError>);

#[derive(Clone, Copy)]
enum Kind {
    Held,
    Waited,
}

/// The calls that have lanes, and their number.
const HELD: (Kind, usize) = (Kind::Held, 2 * LANES as usize);

/// The calls that wait for a lane, and their number.
const WAITED: (Kind, usize) = (Kind::Waited, 3 * WAITING);

/// Two connections, all of whose lanes are taken.
struct Scene {
    fixture: Fixture,
    blocking: BasicClient,
    asynchronous: BasicAsyncClient,
    /// It has free lanes.
    bystander: BasicClient,
    /// The outcomes, by kind.
    ends: [Receiver<Ended>; 2],
    ended: [Sender<Ended>; 2],
}

impl Scene {
    fn new(transport: Transport, timeout: Option<Duration>) -> Self {
        let fixture = Fixture::with(
            transport,
            FixtureConfig { lanes: Some(LANES as u32), ..FixtureConfig::default() },
        );
        let blocking = fixture.builder().call_timeout(timeout).connect().unwrap();
        let asynchronous =
            block_on(fixture.async_builder().call_timeout(timeout).connect()).unwrap();
        let bystander = fixture.client();
        let ((held, held_end), (waited, waited_end)) = (mpsc::channel(), mpsc::channel());
        let (ended, ends) = ([held, waited], [held_end, waited_end]);
        let scene = Self { fixture, blocking, asynchronous, bystander, ends, ended };
        scene.take_lanes();
        scene.queue();
        scene
    }

    fn beside(&self, kind: Kind, call: impl FnOnce(&Sender<Ended>) + Send + 'static) {
        let ended = self.ended[kind as usize].clone();
        thread::spawn(move || call(&ended));
    }

    fn take_lanes(&self) {
        for token in 0..LANES {
            let client = self.blocking.clone();
            self.beside(Kind::Held, move |ended| {
                let held = client.hold_later(GATE, token).map(|token| token as i64);
                // The test may be over.
                let _ = ended.send(("held", held));
            });
            let client = self.asynchronous.clone();
            self.beside(Kind::Held, move |ended| {
                let held = block_on(client.hold_later(GATE, token)).map(|token| token as i64);
                let _ = ended.send(("held", held));
            });
        }
        self.bystander.arrived(GATE, 2 * LANES as u32).unwrap();
    }

    /// Blocking calls may begin to wait as late as during the end.
    fn queue(&self) {
        let waiting = |n: usize| {
            let client = self.asynchronous.clone();
            let mut call = Box::pin(async move { client.add(1, n as i64).await });
            assert!((&mut call).now_or_never().is_none(), "all lanes are taken");
            call
        };
        for n in 0..WAITING {
            let client = self.blocking.clone();
            self.beside(Kind::Waited, move |ended| {
                let _ = ended.send(("blocking", client.add(1, n as i64)));
            });
            let call = waiting(n);
            self.beside(Kind::Waited, move |ended| {
                let _ = ended.send(("a task", block_on(call)));
            });
        }
        let calls: Vec<_> = (0..WAITING).map(waiting).collect();
        self.beside(Kind::Waited, move |ended| {
            let each = calls.into_iter().map(|call| async {
                let _ = ended.send(("of one task", call.await));
            });
            drop(block_on(join_all(each)));
        });
    }

    /// Returns the outcomes of all calls of a kind.
    fn ends(&self, (kind, count): (Kind, usize), how: &str) -> Vec<Result<i64, CallError>> {
        let mut found = Vec::new();
        while found.len() < count {
            match self.ends[kind as usize].recv_timeout(PATIENCE) {
                Ok((call, end)) => found.push((call, end)),
                Err(error) => panic!("{how}: {error}; {count} calls, these have ended: {found:?}"),
            }
        }
        found.into_iter().map(|(_, end)| end).collect()
    }
}

fn is_over(end: &Result<i64, CallError>) -> bool {
    matches!(end, Err(CallError::Disconnected(_) | CallError::PeerDied))
}

/// Checks that `end` ends the connections, and all calls with them.
fn each_ends(transport: Transport, end: impl Fn(&Scene)) {
    let _watchdog = Watchdog::new(3 * PATIENCE);
    for round in 0..ROUNDS {
        for timeout in [None, Some(3 * PATIENCE)] {
            let scene = Scene::new(transport, timeout);
            end(&scene);
            let how = format!("round {round} with the limit {timeout:?}");
            for end in [scene.ends(HELD, &how), scene.ends(WAITED, &how)].concat() {
                assert!(is_over(&end), "{how}: {end:?}");
            }
        }
    }
}

/// Begins a shutdown that waits this long for the calls that have lanes. `follow` looks at the
/// calls that have none, and returns whether the shutdown is graceful.
fn each_ends_with_a_shutdown(
    transport: Transport,
    time: Duration,
    follow: impl Fn(&Scene) -> bool,
) {
    let _watchdog = Watchdog::new(3 * PATIENCE);
    for timeout in [None, Some(3 * PATIENCE)].repeat(ROUNDS) {
        let scene = Scene::new(transport, timeout);
        scene.fixture.tell(ServerCommand::BeginShutdown(time));
        let in_order = follow(&scene);
        let how = format!("a shutdown, in good order: {in_order}, with the limit {timeout:?}");
        for end in scene.ends(HELD, &how) {
            assert!(if in_order { end.is_ok() } else { is_over(&end) }, "{how}: {end:?}");
        }
        let ended = scene.fixture.host().tell(ServerCommand::EndShutdown);
        assert_eq!(ended, ServerReply::Was(in_order));
    }
}

over_both_transports! {
    fn they_end_when_the_server_is_dropped(transport) {
        each_ends(transport, |scene| scene.fixture.tell(ServerCommand::Drop));
    }

    fn they_end_when_the_server_disconnects_them(transport) {
        each_ends(transport, |scene| {
            let bystander = scene.bystander.who().unwrap().client_id;
            for (client, _) in scene.fixture.clients() {
                assert!(client == bystander || scene.fixture.disconnect(client));
            }
        });
    }

    fn they_end_when_the_client_leaves(transport) {
        each_ends(transport, |scene| {
            scene.blocking.connection().disconnect();
            scene.asynchronous.connection().disconnect();
        });
    }

    // They may learn of the shutdown first, or of the end.
    fn they_end_with_a_shutdown_that_does_not_wait_long(transport) {
        each_ends_with_a_shutdown(transport, Duration::from_millis(1), |scene| {
            for end in scene.ends(WAITED, "a shutdown that does not wait long") {
                assert!(is_over(&end) || end == Err(CallError::ShuttingDown), "{end:?}");
            }
            false
        });
    }

    // They wait for lanes that none of them would get.
    fn they_end_while_a_shutdown_waits_for_those_that_have_lanes(transport) {
        each_ends_with_a_shutdown(transport, 3 * PATIENCE, |scene| {
            for end in scene.ends(WAITED, "a shutdown that waits") {
                assert_eq!(end, Err(CallError::ShuttingDown));
            }
            scene.fixture.tell(ServerCommand::Open(GATE));
            true
        });
    }

    // The lanes become free as the shutdown begins: a call that gets one in time is answered.
    fn they_end_with_a_shutdown_that_finds_lanes_free(transport) {
        each_ends_with_a_shutdown(transport, PATIENCE, |scene| {
            scene.fixture.tell(ServerCommand::Open(GATE));
            for end in scene.ends(WAITED, "a shutdown in good order") {
                let is_refused = is_over(&end) || end == Err(CallError::ShuttingDown);
                assert!(end.is_ok() || is_refused, "{end:?}");
            }
            true
        });
    }
}

#[test]
fn they_end_when_the_server_is_killed() {
    each_ends(Transport::Mmf, |scene| scene.fixture.server_process().signal(Signal::KILL));
    let scene = Scene::new(Transport::Mmf, None);
    scene.fixture.server_process().signal(Signal::KILL);
    let died = |end: &Result<i64, CallError>| *end == Err(CallError::PeerDied);
    assert!(scene.ends(HELD, "killed").iter().all(died));
    let later = CallError::Disconnected(DisconnectReason::PeerDied);
    for end in scene.ends(WAITED, "killed") {
        assert_eq!(end, Err(later.clone()));
    }
}
