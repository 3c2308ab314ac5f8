//! A hostile server against an honest client.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use witrpc_transport::{
    Admitted, Body, ChannelError, ClientInfo, DisconnectReason, Exchange, Limit, Outgoing, Plain,
    Responder, Session, Short, Ticket, WaitPolicy,
};

use crate::client::{Client, ClientOptions};
use crate::link::head::LineKind;
use crate::link::line;
use crate::memory::layout::{INLINE_LEN, Layout, line as words};
use crate::memory::words::Mapped;
use crate::portable::Backend;
use crate::rendezvous::tests::PATIENCE;
use crate::rendezvous::tests::bombs::Bomb;
use crate::rendezvous::{Control, Established, Host, NameClaim, ServerLimits};
use crate::wakeup::futex;

use super::{LANES, MAX_MESSAGE_LEN, REGION_LEN, Raw, Said, Site, broken_lines};

struct AdmitAll {
    connected: Sender<Established>,
    keys: Plain,
}

impl Host for AdmitAll {
    fn admit(&self, _: &ClientInfo, _hello: &[u8]) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }

    fn connected(&self, _: ClientInfo, _session: Session, established: Established) {
        self.connected.send(established).expect("the test waits for it");
    }

    fn hung_up(&self, _id: u64) {}

    fn responder(&self) -> &dyn Responder {
        &self.keys
    }
}

/// A server without handlers: the test writes the answers.
pub struct Hostile {
    site: Site,
    keys: Plain,
    control: Control,
    connected: Receiver<Established>,
}

impl Hostile {
    pub fn start() -> Self {
        Self::start_with(Plain::default())
    }

    pub fn start_with(keys: Plain) -> Self {
        let site = Site::new();
        let limits = ServerLimits {
            backend: Backend::Native,
            max_clients: 64,
            lanes: LANES,
            client_region_len: REGION_LEN,
            server_region_len: REGION_LEN,
            max_message_len: MAX_MESSAGE_LEN as u64,
            handshake_timeout: PATIENCE,
            grace: PATIENCE,
        };
        let (sender, connected) = channel();
        let claim = NameClaim::new(&site.name, &site.place).expect("the name is free");
        let control = Control::new(claim).expect("an eventfd");
        control
            .start(limits, Arc::new(AdmitAll { connected: sender, keys }))
            .expect("a thread and an epoll instance");
        Self { site, keys, control, connected }
    }

    pub fn client(&self) -> (Arc<Client>, Raw) {
        self.client_that(WaitPolicy::Park)
    }

    /// Returns a client that waits by this policy.
    pub fn client_that(&self, wait: WaitPolicy) -> (Arc<Client>, Raw) {
        let options = ClientOptions {
            backend: Backend::Native,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait,
            max_region_len: REGION_LEN,
            max_answer_len: usize::MAX,
            handshake_timeout: PATIENCE,
            trusted: None,
        };
        let client = Client::connect(&self.site.name, &self.site.place, &options, &self.keys);
        let established = self.connected.recv().expect("a client has come");
        (client.expect("it accepts every client"), Raw::new(established, Layout::server_arena))
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.control.shutdown();
    }
}

impl Raw {
    /// Waits until the client has written `seq` on lane 0, and answers.
    pub fn answer(&self, seq: u64, said: Said) -> ControlFlow<()> {
        let request = self.peer_line(self.layout.request_line(0));
        let patience = Instant::now() + PATIENCE;
        while line::shows::<Mapped>(request) != seq {
            if Instant::now() > patience {
                return ControlFlow::Break(());
            }
            std::thread::yield_now();
        }
        let response = self.layout.response_line(0);
        self.say(response, seq, said);
        futex::wake_own(&self.line(response)[words::SEQ]);
        ControlFlow::Continue(())
    }
}

fn send(client: &Client) -> Ticket {
    let sent = client.try_send(Outgoing::new(0, Body::Small { padded: &[0; INLINE_LEN], len: 1 }));
    sent.expect("connected").expect("a lane is free")
}

pub fn call(client: &Arc<Client>, limit: Duration) -> Result<u32, ChannelError> {
    client.wait_answer(send(client), &mut Limit::Within(limit), |answer| answer.tag)
}

/// What came of the spinning is noted by the exchange, and not once more by the wait that goes on from there.
#[test]
fn a_short_call_that_is_answered_late_spins_once() {
    let server = Hostile::start();
    let (client, _raw) = server.client_that(WaitPolicy::Adaptive);
    for _ in 0..LANES {
        let Exchange::Sent(ticket) = client.exchange_short(0, &Short::default()) else {
            panic!("the server does not answer");
        };
        let exchanged = client.spin().outcomes();
        let waited = client.wait_answer(ticket, &mut Limit::Within(Duration::ZERO), drop);
        assert_eq!(waited, Err(ChannelError::TimedOut));
        assert_eq!(client.spin().outcomes(), exchanged, "the wait has spun again");
    }
    assert_eq!(client.spin().outcomes().0, 0, "to spin was in vain each time");
}

#[test]
fn a_server_that_breaks_a_rule_loses_its_client() {
    let server = Hostile::start();
    let unasked = vec![Said::kind(LineKind::Next, 0)];
    for script in broken_lines().into_iter().chain([unasked]) {
        let (client, raw) = server.client();
        let lines = script.clone();
        let hostile = std::thread::spawn(move || {
            for (seq, said) in (1..).zip(lines) {
                assert!(raw.answer(seq, said).is_continue(), "the client did not go on to {seq}");
            }
            raw
        });
        let outcome = call(&client, PATIENCE);
        assert!(matches!(outcome, Err(ChannelError::Misbehaved(_))), "{script:x?}: {outcome:?}");
        assert_eq!(client.lost(), Some(DisconnectReason::Misbehaved), "{script:x?}");
        hostile.join().expect("every line was asked for");
    }
}

/// The answer of a server that has no memory for a request.
#[test]
fn a_refusal_ends_its_call_and_frees_the_lane() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    let refusal = Said::kind(LineKind::Discard, 0);
    let hostile = std::thread::spawn(move || {
        for (seq, said) in (1..).zip([refusal, Said::kind(LineKind::Inline, 0), refusal]) {
            assert!(raw.answer(seq, said).is_continue(), "the client did not go on to {seq}");
        }
        raw
    });
    let limit = PATIENCE;
    assert_eq!(call(&client, limit), Err(ChannelError::PeerNoMemory));
    assert_eq!(call(&client, limit), Ok(0));
    assert_eq!(call(&client, limit), Err(ChannelError::PeerNoMemory));
    assert_eq!(client.lost(), None);
    hostile.join().expect("every line was asked for");
}

#[test]
fn an_answer_to_a_call_that_was_not_made_is_ignored() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    let response = raw.layout.response_line(0);
    for seq in [2, u64::MAX, 0] {
        raw.say(response, seq, Said::kind(LineKind::Inline, 0));
        let outcome = client.wait_answer(send(&client), &mut Limit::Within(Duration::ZERO), drop);
        assert_eq!(outcome, Err(ChannelError::TimedOut), "seq {seq}");
    }
    assert_eq!(client.lost(), None);
    assert_eq!(call(&client, Duration::ZERO), Err(ChannelError::TimedOut));
}

#[test]
fn a_server_that_sends_a_bomb_by_the_doorbell_loses_its_client() {
    let server = Hostile::start();
    for flags in [SendFlags::empty(), SendFlags::OOB] {
        let (client, raw) = server.client();
        // Before the bomb: the link thread, which ends the connection, may be faster than a call.
        let ticket = send(&client);
        let _fuse = Bomb::new().pass(raw.doorbell.end().as_ref().expect("native"), &[1], flags);
        let waited = client.wait_answer(ticket, &mut Limit::Never, |answer| answer.tag);
        assert_eq!(waited, Err(ChannelError::Disconnected(DisconnectReason::Misbehaved)));
        assert_eq!(client.lost(), Some(DisconnectReason::Misbehaved));
    }
}
