//! Either side is killed, over each backend: the other side notices, and nothing is left behind.

#![allow(clippy::disallowed_methods, reason = "tests may start threads")]

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use witrpc_mmf::{Backend, Client, ClientOptions, Name, Place, Server, ServerOptions};
use witrpc_transport::{
    Admission, Admitted, Body, ChannelError, ClientInfo, DisconnectReason, Limit, Outgoing, Plain,
    Session, TrustedPeer, WaitPolicy,
};

/// Only a failing test waits this long.
const EMPTY: Body<'static> = Body::Small { padded: &[0; witrpc_mmf::INLINE_LEN], len: 0 };
const PATIENCE: Duration = Duration::from_secs(60);

/// The environment variable with the name to serve or to connect to, in the process that a test
/// starts.
const NAME: &str = "WITRPC_TEST_NAME";

// SAFETY: the names of the regions are unguessable, and only this program and its children use them.
const PORTABLE: Backend = Backend::Portable(unsafe { TrustedPeer::assume() });

/// A call with this tag is never answered.
const UNANSWERED: u32 = 9;

struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _hello: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }
}

fn bind(backend: Backend, name: &Name) -> Arc<Server> {
    let options = ServerOptions {
        backend,
        size: 1 << 20,
        lanes: 64,
        max_clients: 1,
        max_message_len: 1 << 20,
        handshake_timeout: PATIENCE,
        trusted: None,
    };
    Server::bind(
        name.clone(),
        &Place::default(),
        &options,
        Arc::new(AdmitAll),
        Arc::<Plain>::default(),
    )
    .expect("the name is free")
}

fn connect(backend: Backend, name: &Name, wait: WaitPolicy) -> Arc<Client> {
    let options = ClientOptions {
        backend,
        wait_for_server: PATIENCE,
        hello: Vec::new(),
        wait,
        max_region_len: 1 << 30,
        max_answer_len: usize::MAX,
        handshake_timeout: PATIENCE,
        trusted: None,
    };
    Client::connect(name, &Place::default(), &options, &Plain::default())
        .expect("the server serves")
}

/// Answers every call except those of tag [`UNANSWERED`], until `stop`.
fn serve(server: &Server, stop: &AtomicBool) {
    let mut scanner = server.scanner();
    while !stop.load(SeqCst) {
        let found = scanner.turn(None, |connection, request| {
            if request.tag != UNANSWERED {
                let answer = Outgoing::new(request.tag, EMPTY);
                // An error means that the client has just died.
                let _ = connection.answer(request.ticket, answer);
            }
            ControlFlow::Continue(())
        });
        if !found && !scanner.request_wakeup(None) {
            server.park(None);
        }
    }
}

fn call(client: &Arc<Client>, tag: u32) -> Result<(), ChannelError> {
    let sent = client.try_send(Outgoing::new(tag, EMPTY))?;
    let ticket = sent.expect("there are lanes for all calls of these tests");
    client.wait_answer(ticket, &mut Limit::Within(PATIENCE), drop)
}

/// Makes the same call as a future, polled on this thread.
fn call_by_future(client: &Arc<Client>, tag: u32) -> Result<(), ChannelError> {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let sent = client.try_send(Outgoing::new(tag, EMPTY))?;
    let mut ticket = sent.expect("there are lanes for all calls of these tests");
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut limit = Limit::Within(PATIENCE);
    loop {
        let mut cx = Context::from_waker(&waker);
        match client.poll_answer(&mut cx, &mut ticket, &mut limit, drop) {
            Poll::Ready(answered) => return answered,
            Poll::Pending => thread::park(),
        }
    }
}

/// A test of this file in its own process, which plays the other side.
struct Other(Child);

impl Other {
    /// Starts it, and returns when it reports that it is ready.
    fn start(test: &str, name: &Name) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this is a program"));
        command.args([test, "--exact", "--nocapture"]).env(NAME, name.as_str());
        // It ends when its standard input does, in case this process ends first.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut other = Self(command.spawn().expect("this program can be run again"));
        let output = other.0.stdout.take().expect("it is piped");
        let ready =
            BufReader::new(output).lines().any(|line| line.is_ok_and(|l| l.contains(READY)));
        assert!(ready, "the other side ended before it was ready");
        other
    }

    /// Returns the regions of the portable backend that it has mapped, each as its line of the map.
    fn named_regions(&self) -> Vec<String> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.0.id()));
        let maps = maps.expect("it lives");
        maps.lines().filter(|line| line.contains("/dev/shm/wit")).map(String::from).collect()
    }

    /// Checks that both regions are mapped and no longer have names, so that a kill cannot leave
    /// one behind.
    fn assert_regions_are_nameless(&self, backend: Backend) {
        let regions = self.named_regions();
        let expected = if backend == PORTABLE { 2 } else { 0 };
        assert_eq!(regions.len(), expected, "{regions:?}");
        for line in regions {
            let path = line.strip_suffix(" (deleted)").expect("its name is gone");
            let path = &path[path.find('/').expect("it contains a path")..];
            assert!(!std::path::Path::new(path).exists(), "{path}");
        }
    }

    fn kill(mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }
}

const READY: &str = "the other side is ready";

/// Returns the name that this process was started to serve or to connect to; `None` in the test
/// runner.
fn role() -> Option<Name> {
    let name = std::env::var(NAME).ok()?;
    Some(Name::new(&name).expect("the test gave a good one"))
}

fn wait_for_the_end() -> ! {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

fn kill_the_server(backend: Backend, test: &str) {
    if let Some(name) = role() {
        let server = bind(backend, &name);
        println!("{READY}");
        thread::spawn(move || serve(&server, &AtomicBool::new(false)));
        wait_for_the_end();
    }
    let name = Name::unguessable().unwrap();
    let server = Other::start(test, &name);
    let client = connect(backend, &name, WaitPolicy::Adaptive);
    assert_eq!(call(&client, 1), Ok(()));
    assert_eq!(call_by_future(&client, 1), Ok(()));
    server.assert_regions_are_nameless(backend);
    thread::scope(|scope| {
        let pending = [call as fn(&Arc<Client>, u32) -> _, call_by_future].map(|call| {
            scope.spawn({
                let client = &client;
                move || call(client, UNANSWERED)
            })
        });
        server.kill();
        for call in pending {
            let error = call.join().expect("no panic").expect_err("it is not answered");
            assert!(
                matches!(
                    error,
                    ChannelError::PeerDied | ChannelError::Disconnected(DisconnectReason::PeerDied)
                ),
                "{error:?}"
            );
        }
    });
    assert_eq!(client.lost(), Some(DisconnectReason::PeerDied));
    assert_eq!(call(&client, 1), Err(ChannelError::Disconnected(DisconnectReason::PeerDied)));

    // The next server takes the name over.
    let server = Other::start(test, &name);
    assert_eq!(call(&connect(backend, &name, WaitPolicy::Park), 1), Ok(()));
    server.kill();
    drop(bind(backend, &name));
}

fn kill_the_client(backend: Backend, test: &str) {
    if let Some(name) = role() {
        let client = connect(backend, &name, WaitPolicy::Adaptive);
        assert_eq!(call(&client, 1), Ok(()));
        // A call is pending when this process is killed.
        let sent = client.try_send(Outgoing::new(UNANSWERED, EMPTY));
        assert!(matches!(sent, Ok(Some(_))));
        println!("{READY}");
        wait_for_the_end();
    }
    let name = Name::unguessable().unwrap();
    let (server, stop) = (bind(backend, &name), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| serve(&server, &stop));
        for _ in 0..3 {
            let client = Other::start(test, &name);
            client.assert_regions_are_nameless(backend);
            assert_eq!(server.clients().len(), 1);
            client.kill();
            let deadline = Instant::now() + PATIENCE;
            while !server.clients().is_empty() {
                assert!(Instant::now() < deadline, "the client's death was not seen");
                thread::yield_now();
            }
        }
        // The server takes one client only, so the dead one is gone.
        assert_eq!(call(&connect(backend, &name, WaitPolicy::Adaptive), 1), Ok(()));
        stop.store(true, SeqCst);
        server.ring();
    });
    server.close();
}

#[test]
fn a_killed_server_is_learned_of_native() {
    kill_the_server(Backend::Native, "a_killed_server_is_learned_of_native");
}

#[test]
fn a_killed_server_is_learned_of_portable() {
    kill_the_server(PORTABLE, "a_killed_server_is_learned_of_portable");
}

#[test]
fn a_killed_client_is_learned_of_native() {
    kill_the_client(Backend::Native, "a_killed_client_is_learned_of_native");
}

#[test]
fn a_killed_client_is_learned_of_portable() {
    kill_the_client(PORTABLE, "a_killed_client_is_learned_of_portable");
}
