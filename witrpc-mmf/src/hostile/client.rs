//! A hostile client against an honest server, which another client keeps using undisturbed.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use witrpc_transport::{
    Admission, Admitted, Body, ChannelError, ClientInfo, Fill, Limit, Only, Outgoing, Payload,
    Plain, Session, WaitPolicy,
};

use crate::client::{Client, ClientOptions};
use crate::error::ConnectError;
use crate::link::head::LineKind;
use crate::link::line;
use crate::memory::layout::{HIGH_WATER, INLINE_LEN, Layout};
use crate::memory::words::Mapped;
use crate::portable::Backend;
use crate::rendezvous::tests::PATIENCE;
use crate::rendezvous::tests::bombs::Bomb;
use crate::rendezvous::{ConnectOptions, connect};
use crate::server::{Server, ServerOptions};
use crate::sys::fd_closer::Socket;

use super::{LANES, MAX_MESSAGE_LEN, REGION_LEN, Raw, Said, Site, broken_lines};

struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, _hello: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }
}

/// The answer to calls of tag 3. Other calls get an empty answer.
const LONG_ANSWER: Zeros = Zeros(1_000);

/// A server that answers every call with its tag, except for calls of tag 1.
pub struct Honest {
    site: Site,
    keys: Plain,
    pub server: Arc<Server>,
    /// The payloads of calls of tag 2, which it keeps.
    kept: Mutex<Vec<Payload>>,
}

impl Honest {
    pub fn start() -> Self {
        Self::start_with(Plain::default())
    }

    pub fn start_with(keys: Plain) -> Self {
        let site = Site::new();
        let options = ServerOptions {
            backend: Backend::Native,
            size: 2 * REGION_LEN,
            lanes: LANES,
            max_clients: 64,
            max_message_len: MAX_MESSAGE_LEN,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let server = Server::bind(
            site.name.clone(),
            &site.place,
            &options,
            Arc::new(AdmitAll),
            Arc::new(keys),
        );
        Self { site, keys, server: server.expect("the name is free"), kept: Mutex::default() }
    }

    pub fn serve(&self, until: impl Fn() -> bool) {
        let patience = Instant::now() + PATIENCE;
        let mut scanner = self.server.scanner();
        while !until() {
            assert!(Instant::now() < patience, "the condition was not met in time");
            let found = scanner.turn(None, |connection, request| {
                let body = match request.tag {
                    3 => Body::Large(&LONG_ANSWER),
                    _ => Body::Small { padded: &[0; INLINE_LEN], len: 0 },
                };
                if request.tag == 2 {
                    self.kept.lock().expect("no thread panics with it").push(request.payload);
                }
                if request.tag != 1 {
                    let _ = connection.answer(request.ticket, Outgoing::new(request.tag, body));
                }
                ControlFlow::Continue(())
            });
            if !found && !scanner.request_wakeup(None) {
                self.server.park(Some(Duration::from_millis(1)));
            }
        }
    }

    pub fn hostile(&self) -> (Raw, Socket) {
        let connected = connect(
            &self.site.name,
            &self.site.place,
            &ConnectOptions {
                backend: Backend::Native,
                hello: &[],
                wait_for_server: Duration::ZERO,
                max_region_len: REGION_LEN as u64,
                handshake_timeout: PATIENCE,
                initiator: &self.keys,
            },
        );
        let connected = connected.expect("the server accepts every client");
        let raw = Raw::new(connected.established, Layout::client_arena);
        raw.set(HIGH_WATER, LANES.into());
        (raw, connected.link)
    }

    pub fn bystander(&self) -> Arc<Client> {
        let options = ClientOptions {
            backend: Backend::Native,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait: WaitPolicy::Park,
            max_region_len: REGION_LEN,
            max_answer_len: usize::MAX,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        Client::connect(&self.site.name, &self.site.place, &options, &self.keys)
            .expect("the server serves")
    }

    /// Makes the hostile client write `said` as call `seq` of lane 0, and waits for the answer.
    pub fn answers(&self, raw: &Raw, seq: u64, said: Said) {
        raw.ask(seq, said);
        let response = raw.peer_line(raw.layout.response_line(0));
        self.serve(|| line::shows::<Mapped>(response) == seq);
    }

    /// Makes the hostile client write `said`, and waits until its connection ends.
    pub fn ends(&self, raw: &Raw, seq: u64, said: Said) {
        let (before, _) = self.server.broken();
        raw.ask(seq, said);
        self.serve(|| self.server.broken().0 > before);
    }

    /// Takes, without waiting, the requests that have been rung for and that `only` does not
    /// refuse. Answers none, and returns their tags.
    fn takes(&self, only: Option<Only<'_>>) -> Vec<u32> {
        self.server.park(Some(Duration::ZERO));
        let mut taken = Vec::new();
        self.server.scanner().turn(only, |_, request| {
            taken.push(request.tag);
            ControlFlow::Continue(())
        });
        taken
    }

    /// Returns the rule that was broken last.
    pub fn broken(&self) -> Option<&'static str> {
        self.server.broken().1
    }

    /// Makes a call by the bystander.
    pub fn serves(&self, bystander: &Arc<Client>) {
        let outcome = self.while_serving(|| {
            let body = Body::Small { padded: &[0; INLINE_LEN], len: 1 };
            call(bystander, Outgoing::new(7, body))
        });
        assert_eq!(outcome, Ok(7));
    }

    /// Runs `work` on another thread, and serves on this one meanwhile.
    pub fn while_serving<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let working = scope.spawn(|| {
                // Also if it panics: this thread must not wait for it then.
                let _done = Done(&done);
                work()
            });
            self.serve(|| done.load(SeqCst));
            working.join().expect("it says why it panics")
        })
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.server.close();
    }
}

/// Sets its flag when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// A body of this many zeros.
pub struct Zeros(pub usize);

impl Fill for Zeros {
    fn len(&self) -> usize {
        self.0
    }

    fn write_at(&self, _offset: usize, out: &mut [u8]) {
        out.fill(0);
    }
}

/// Makes a call, and returns the tag of the answer.
pub fn call(client: &Arc<Client>, message: Outgoing<'_>) -> Result<u32, ChannelError> {
    let ticket = client.try_send(message)?.expect("a lane and space are free");
    client.wait_answer(ticket, &mut Limit::Within(PATIENCE), |answer| answer.tag)
}

impl Raw {
    fn ask(&self, seq: u64, said: Said) {
        self.say(self.layout.request_line(0), seq, said);
        self.doorbell.ring();
    }
}

fn inline() -> Said {
    Said::kind(LineKind::Inline, 0)
}

#[test]
fn a_client_that_breaks_a_rule_ends_only_its_connection() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    let unasked =
        [vec![Said::kind(LineKind::Next, 0)], vec![inline(), Said::kind(LineKind::Next, 0)]];
    for mut script in broken_lines().into_iter().chain(unasked) {
        let (raw, _link) = honest.hostile();
        let last = script.pop().expect("a line that breaks a rule");
        let mut seq = 1;
        for said in script {
            honest.answers(&raw, seq, said);
            seq += 1;
        }
        honest.ends(&raw, seq, last);
        honest.serves(&bystander);
    }
}

#[test]
fn seqs_go_up_by_one() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    for seq in [0, 1, 4, u64::MAX] {
        let (raw, _link) = honest.hostile();
        honest.answers(&raw, 1, inline());
        honest.answers(&raw, 2, inline());
        honest.ends(&raw, seq, inline());
        honest.serves(&bystander);
    }
}

#[test]
fn a_lane_has_one_call_at_a_time() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    let (raw, _link) = honest.hostile();
    raw.ask(1, inline().tagged());
    // The bystander's call is found after it.
    honest.serves(&bystander);
    honest.ends(&raw, 2, inline());
    honest.serves(&bystander);
}

/// Returns how many lanes have been answered.
fn answered(raw: &Raw) -> usize {
    let line = |lane| raw.peer_line(raw.layout.response_line(lane));
    (0..LANES as usize).filter(|lane| line::shows::<Mapped>(line(*lane)) != 0).count()
}

#[test]
fn lines_that_are_no_calls_count_towards_a_turn() {
    let honest = Honest::start();
    let (raw, _link) = honest.hostile();
    for lane in 0..LANES as usize {
        raw.say(raw.layout.request_line(lane), 1, Said::segment(1_000, 0, 100));
    }
    raw.doorbell.ring();
    assert_eq!(honest.takes(None), []);
    let first = answered(&raw);
    assert!((1..LANES as usize).contains(&first), "{first} segments of one client in a turn");
    honest.takes(None);
    assert_eq!(answered(&raw), LANES as usize, "the next turn goes on after the last one");
}

#[test]
fn a_thread_that_takes_only_some_requests_completes_no_other() {
    let honest = Honest::start();
    let (raw, _link) = honest.hostile();
    let response = raw.peer_line(raw.layout.response_line(0));
    let none: Option<Only<'_>> = Some(&|_, _| false);
    let segment = |start, len| Said::segment(1_000, start, len).with_tag(5);
    raw.ask(1, segment(0, 400));
    assert_eq!((honest.takes(none), line::shows::<Mapped>(response)), (vec![], 0), "it begins one");
    honest.takes(None);
    raw.ask(2, segment(400, 300));
    honest.takes(none);
    assert_eq!(line::shows::<Mapped>(response), 2, "a request that was begun goes on");
    raw.ask(3, segment(700, 300));
    assert_eq!((honest.takes(none), line::shows::<Mapped>(response)), (vec![], 2));
    assert_eq!(honest.takes(Some(&|_, tag| tag == 5)), [5]);
}

#[test]
fn a_thread_that_takes_only_some_requests_leaves_the_others() {
    let honest = Honest::start();
    let (raw, _link) = honest.hostile();
    for (lane, tag) in [(0, 5), (1, 7), (2, 5)] {
        raw.say(raw.layout.request_line(lane), 1, inline().with_tag(tag));
    }
    raw.doorbell.ring();
    assert_eq!(honest.takes(Some(&|_, tag| tag == 7)), [7]);
    assert_eq!(honest.takes(Some(&|_, tag| tag == 7)), []);
    assert_eq!(honest.takes(None), [5, 5]);
}

#[test]
fn a_high_water_beyond_the_lanes_and_a_discard_of_nothing_do_no_harm() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    let (raw, _link) = honest.hostile();
    for (seq, high_water) in [(1, u64::MAX), (2, u64::from(LANES) + 1), (3, 1 << 32)] {
        raw.set(HIGH_WATER, high_water);
        honest.answers(&raw, seq, inline());
    }
    honest.answers(&raw, 4, Said::kind(LineKind::Discard, 0));
    honest.answers(&raw, 5, inline());
    assert_eq!(honest.server.broken(), (0, None));
    honest.serves(&bystander);
}

#[test]
fn refused_handshakes_are_counted_and_clients_that_leave_are_not() {
    let honest = Honest::start();
    let path = honest.site.directory.join(honest.site.name.as_str());
    let open = || UnixStream::connect(&path).expect("it is served");
    assert_eq!(honest.server.refused(), 0);
    drop(open());
    let mut garbled = open();
    garbled.write_all(&[b'G'; 16]).expect("it is listened to");
    assert_eq!(garbled.read(&mut [0]).expect("a hang-up"), 0);
    assert_eq!(honest.server.refused(), 1, "a client that sent garbage");
    let options = ConnectOptions {
        backend: Backend::Native,
        hello: &[],
        wait_for_server: Duration::ZERO,
        max_region_len: REGION_LEN as u64,
        handshake_timeout: PATIENCE,
        initiator: &const { Plain::new(true) },
    };
    let refused = connect(&honest.site.name, &honest.site.place, &options).map(drop);
    assert!(matches!(refused, Err(ConnectError::OtherDemands { .. })), "{refused:?}");
    assert_eq!(honest.server.refused(), 2, "a client with other requirements");
    honest.serves(&honest.bystander());
    assert_eq!(honest.server.refused(), 2, "a client that is accepted");
}

/// What a client sends through the doorbell is received by threads that serve all clients.
#[test]
fn a_bomb_by_the_doorbell_ends_its_sender_and_delays_no_other_client() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    for (broken, flags) in [(1, SendFlags::empty()), (2, SendFlags::OOB)] {
        let (raw, _link) = honest.hostile();
        let _fuse = Bomb::new().send(raw.doorbell.end().as_ref().expect("native"), &[1], flags);
        honest.serve(|| honest.server.broken().0 == broken);
        honest.serves(&bystander);
    }
    let (_, rule) = honest.server.broken();
    assert!(rule.is_some_and(|rule| rule.contains("doorbell")), "{rule:?}");
}
