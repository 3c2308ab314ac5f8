//! A user's own transport over sockets, built with the public kit.

mod frame;
mod frame_cipher;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use futures_executor::{block_on, block_on_stream};
use futures_util::future::join_all;
use witrpc::queue::Limits;
use witrpc::{
    AccessToken, AccessTokens, CallContext, CallError, CallOptions, CancelToken, ConnectError,
    DisconnectReason, Endpoint, Shared, WitServer, WitServerBuilder, wit_service,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

use wire::Wire;

#[wit_service]
trait Post {
    fn echo(&self, text: String) -> String;
    async fn checked(&self, text: String) -> Result<u64, String>;
    fn reverse(&self, frame: Shared<[u8]>) -> Shared<[u8]>;
    fn count(&self, end: u64) -> impl Iterator<Item = u64>;
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
    /// Sleeps until its call is given up.
    async fn stay(&self, #[wit(ctx)] cx: &CallContext);
    /// Waits until this many calls of this method are there, and returns how many there were.
    fn meet(&self, count: u64) -> u64;
    /// Returns how many calls have begun to stay, and how many of them have been given up.
    fn stays(&self) -> (u64, u64);
    /// Emits `count` knocks.
    fn knock(&self, count: u64);
    #[wit(event)]
    fn knocked(&self, number: u64, text: &str);
}

struct Office {
    events: PostEvents,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    begun: AtomicU64,
    given_up: AtomicU64,
    met: AtomicU64,
}

impl Post for Office {
    fn echo(&self, text: String) -> String {
        text
    }

    async fn checked(&self, text: String) -> Result<u64, String> {
        text.parse().map_err(|_| text)
    }

    fn reverse(&self, frame: Shared<[u8]>) -> Shared<[u8]> {
        Shared::from_vec(frame.to_vec().into_iter().rev().collect())
    }

    fn count(&self, end: u64) -> impl Iterator<Item = u64> {
        0..end
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    async fn stay(&self, cx: &CallContext) {
        self.log.begun.fetch_add(1, SeqCst);
        cx.until_cancelled().await;
        self.log.given_up.fetch_add(1, SeqCst);
    }

    fn meet(&self, count: u64) -> u64 {
        self.log.met.fetch_add(1, SeqCst);
        while self.log.met.load(SeqCst) < count {
            thread::yield_now();
        }
        self.log.met.load(SeqCst)
    }

    fn stays(&self) -> (u64, u64) {
        (self.log.begun.load(SeqCst), self.log.given_up.load(SeqCst))
    }

    fn knock(&self, count: u64) {
        for number in 0..count {
            self.events.knocked(number, "knock").expect("it can be encoded");
        }
    }
}

/// A server over sockets, and its endpoint.
struct Fixture {
    server: WitServer,
    wire: Wire,
    log: Arc<Log>,
    _watchdog: Watchdog,
}

impl Fixture {
    fn new(limits: Limits) -> Self {
        Self::with(limits, |server| server)
    }

    fn with(limits: Limits, set: impl FnOnce(WitServerBuilder) -> WitServerBuilder) -> Self {
        let wire = Wire::with(limits);
        let log = Arc::<Log>::default();
        let theirs = Arc::clone(&log);
        let office = move |events| Office { events, log: Arc::clone(&theirs) };
        let server = WitServer::builder().listen(Endpoint::new(wire.clone())).max_workers(8);
        let server = set(server);
        let server = server.service(PostServer::with_events(office)).start().expect("it starts");
        Self { server, wire, log, _watchdog: Watchdog::new(PATIENCE) }
    }

    fn client(&self) -> PostClient {
        PostClient::connect(Endpoint::new(self.wire.clone())).expect("it is served")
    }

    /// Connects a client with this token, with or without encryption.
    fn with_token(&self, token: &AccessToken, encrypts: bool) -> Result<PostClient, ConnectError> {
        let builder = PostClient::builder(Endpoint::new(self.wire.clone()));
        builder.access_token(token.clone()).encryption(encrypts).connect()
    }

    fn later(&self) -> PostAsyncClient {
        block_on(PostAsyncClient::connect(Endpoint::new(self.wire.clone()))).expect("it is served")
    }

    /// Waits until this many calls have begun to stay.
    fn begun(&self, count: u64) {
        eventually("calls have begun", || self.log.begun.load(SeqCst) == count);
    }
}

#[test]
fn calls_of_every_size_go_there_and_back() {
    let fixture = Fixture::new(Limits::default());
    let (client, later) = (fixture.client(), fixture.later());
    for len in [0, 1, 40, 48, 49, 100_000, 1 << 20] {
        let text = "x".repeat(len);
        assert_eq!(client.echo(text.clone()).as_ref(), Ok(&text));
        assert_eq!(block_on(later.echo(text.clone())), Ok(text));
    }
    assert_eq!(client.checked("7".to_owned()), Ok(7));
    assert_eq!(block_on(later.checked("x".to_owned())), Err(CallError::App("x".to_owned())));
    let mut frame = client.connection().alloc::<u8>(1_000).expect("there is memory");
    frame.iter_mut().zip(0..).for_each(|(byte, number)| *byte = number as u8);
    let expected: Vec<u8> = frame.iter().rev().copied().collect();
    assert_eq!(client.reverse(frame.freeze()).expect("it crosses as a copy").to_vec(), expected);
}

#[test]
fn a_call_over_the_limit_is_refused_where_it_is_made() {
    let limits = Limits::default().with_max_message_size(1_000);
    let client = Fixture::new(limits);
    let client = client.client();
    let error = client.echo("x".repeat(2_000)).unwrap_err();
    assert!(!error.maybe_executed(), "{error}");
    assert_eq!(client.echo("x".to_owned()), Ok("x".to_owned()));
}

#[test]
fn calls_that_outnumber_the_lanes_wait_and_all_are_answered() {
    let fixture = Fixture::new(Limits::default().with_lanes(2));
    let later = fixture.later();
    let calls = (0..100).map(|number: u64| later.checked(number.to_string()));
    let answers = block_on(join_all(calls));
    assert!(answers.into_iter().eq((0..100).map(Ok)));
    let client = fixture.client();
    thread::scope(|scope| {
        let callers = [(); 8].map(|()| {
            scope.spawn(|| (0..50).all(|_| client.echo("y".to_owned()) == Ok("y".to_owned())))
        });
        assert!(callers.into_iter().all(|caller| caller.join().expect("no caller panics")));
    });
}

#[test]
fn calls_of_one_client_run_at_the_same_time() {
    let fixture = Fixture::new(Limits::default());
    let client = fixture.client();
    thread::scope(|scope| {
        let callers = [(); 3].map(|()| scope.spawn(|| client.meet(3)));
        assert_eq!(
            callers.map(|caller| caller.join().expect("no caller panics")),
            [const { Ok(3) }; 3]
        );
    });
}

#[test]
fn streams_uploads_and_events_cross() {
    let fixture = Fixture::new(Limits::default());
    let (client, later) = (fixture.client(), fixture.later());
    let counted = client.count(5_000).expect("it opens");
    assert!(counted.map(|item| item.expect("it stands")).eq(0..5_000));
    let counted = block_on_stream(block_on(later.count(500)).expect("it opens"));
    assert!(counted.map(|item| item.expect("it stands")).eq(0..500));
    assert_eq!(client.sum(0..5_000), Ok(12_497_500));

    let mut knocks = client.knocked().expect("it subscribes");
    let mut later_knocks = block_on_stream(block_on(later.knocked()).expect("it subscribes"));
    fixture.client().knock(100).expect("it is answered");
    for number in 0..100 {
        for knock in [knocks.next(), later_knocks.next()] {
            let knock = knock.expect("the connection stands").expect("none is lost");
            assert_eq!((knock.number, knock.text.as_str()), (number, "knock"));
        }
    }
}

#[test]
fn a_handler_learns_that_its_call_is_given_up() {
    let fixture = Fixture::new(Limits::default().with_lanes(4));
    let (client, later) = (fixture.client(), fixture.later());
    let token = CancelToken::new();
    let view = client.with(CallOptions::new().cancelled_by(&token));
    let caller = thread::spawn(move || view.stay());
    fixture.begun(1);
    token.cancel();
    assert_eq!(caller.join().expect("it does not panic"), Err(CallError::Cancelled));
    eventually_equal("those that stay", &Ok((1, 1)), || client.stays());

    let brief = client.with(CallOptions::new().timeout(Duration::from_millis(1)));
    assert!(matches!(brief.stay(), Err(CallError::TimedOut { .. } | CallError::Expired)));
    eventually("it has been given up or was never begun", || {
        client.stays().is_ok_and(|(begun, given_up)| begun == given_up)
    });
    // There are more than lanes: some are given up before they have one.
    let mut staying: Vec<_> = (0..6).map(|_| Box::pin(later.stay())).collect();
    let polled = block_on(futures_util::future::poll_fn(|cx| {
        let pending = staying.iter_mut().all(|call| call.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(pending)
    }));
    assert!(polled);
    drop(staying);
    eventually("all lanes come back", || {
        client.stays().is_ok_and(|(begun, given_up)| begun == given_up)
    });
    assert_eq!(block_on(join_all((0..8).map(|_| later.echo("z".to_owned())))).len(), 8);
}

#[test]
fn both_sides_learn_that_the_other_is_lost() {
    let fixture = Fixture::new(Limits::default());
    let (client, later) = (fixture.client(), fixture.later());
    let (mut calling, mut called) = (client.clone(), Box::pin(later.stay()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(called.as_mut().poll(&mut cx).is_pending());
    let caller = thread::spawn(move || {
        let ended = calling.stay();
        (ended, std::mem::replace(&mut calling, client))
    });
    fixture.begun(2);
    fixture.wire.cut();
    let (ended, client) = caller.join().expect("it does not panic");
    assert_eq!(ended, Err(CallError::PeerDied));
    assert_eq!(block_on(called), Err(CallError::PeerDied));
    let reason = DisconnectReason::PeerDied;
    assert_eq!(client.echo(String::new()), Err(CallError::Disconnected(reason)));
    assert!(!client.connection().is_connected());
    eventually("the server has forgotten both", || fixture.server.clients().is_empty());
    eventually("both handlers know", || fixture.log.given_up.load(SeqCst) == 2);
    assert_eq!(fixture.client().echo("w".to_owned()), Ok("w".to_owned()));
}

#[test]
fn a_client_that_leaves_is_gone_for_its_server() {
    let fixture = Fixture::new(Limits::default().with_max_clients(1));
    let client = fixture.client();
    assert_eq!(fixture.server.clients().len(), 1);
    let refused = PostClient::connect(Endpoint::new(fixture.wire.clone())).err();
    // The protocol has one code for everything that is not the server's own.
    assert!(matches!(refused, Some(ConnectError::ShuttingDown)), "{refused:?}");
    drop(client);
    eventually("it has gone", || fixture.server.clients().is_empty());
    let next = fixture.client();
    assert!(fixture.server.disconnect(fixture.server.clients()[0].id));
    let reason = DisconnectReason::Dismissed;
    eventually_equal("its end", &Err(CallError::Disconnected(reason)), || next.echo(String::new()));
}

#[test]
fn a_shutdown_answers_what_runs_and_takes_nothing_new() {
    let fixture = Fixture::new(Limits::default());
    let client = fixture.client();
    let staying = client.clone();
    let caller = thread::spawn(move || staying.meet(2));
    eventually("it has begun", || fixture.log.met.load(SeqCst) == 1);
    thread::scope(|scope| {
        let down = scope.spawn(|| fixture.server.shutdown(PATIENCE));
        eventually("the word has come", || client.checked(String::new()).is_err_and(is_refusal));
        fixture.log.met.fetch_add(1, SeqCst);
        assert!(down.join().expect("it does not panic"), "all was answered");
    });
    assert_eq!(caller.join().expect("it does not panic"), Ok(2));
    assert_eq!(client.echo(String::new()), Err(CallError::ShuttingDown));
}

#[test]
fn a_shutdown_ends_once_the_last_frame_has_left() {
    let fixture = Fixture::new(Limits::default());
    let client = fixture.client();
    assert_eq!(client.echo("a".to_owned()), Ok("a".to_owned()));
    let held = fixture.wire.hold();
    thread::scope(|scope| {
        let down = scope.spawn(|| fixture.server.shutdown(PATIENCE));
        eventually("it was asked in vain", || fixture.wire.was_late());
        drop(held);
        assert!(down.join().expect("it does not panic"), "the word that it drains has left");
    });
    assert_eq!(client.echo(String::new()), Err(CallError::ShuttingDown));
}

#[test]
fn tokens_are_proved_and_what_crosses_is_sealed_if_asked_for() {
    let (token, other) = (AccessToken::random(), AccessToken::random());
    for encrypts in [false, true] {
        let tokens = AccessTokens::new().allow("the office", token.clone());
        let fixture = Fixture::with(Limits::default(), |server| {
            server.access_tokens(tokens.expect("it is the first")).encryption(encrypts)
        });
        let client = fixture.with_token(&token, encrypts).expect("it has the token");
        assert_eq!(fixture.server.clients()[0].identity(), Some("the office"));
        for len in [0, 40, 100, 1 << 20] {
            let text = "sesame".repeat(len);
            assert_eq!(client.echo(text.clone()), Ok(text));
        }
        assert_eq!(fixture.wire.shows(b"sesamesesame"), !encrypts);

        let refused = |token, encrypts| fixture.with_token(token, encrypts).err();
        assert!(matches!(refused(&other, encrypts), Some(ConnectError::TokenRejected)));
        let differs = refused(&token, !encrypts);
        let is_told = match encrypts {
            true => matches!(differs, Some(ConnectError::EncryptionRequired)),
            false => matches!(differs, Some(ConnectError::EncryptionUnavailable)),
        };
        assert!(is_told, "{differs:?}");
        let none = PostClient::connect(Endpoint::new(fixture.wire.clone())).err();
        assert!(matches!(none, Some(ConnectError::TokenRequired)), "{none:?}");
    }
}

fn is_refusal(error: CallError<String>) -> bool {
    matches!(error, CallError::ShuttingDown)
}

#[test]
fn a_client_that_breaks_the_rules_is_put_out() {
    let fixture = Fixture::new(Limits::default());
    let (breaks, other) = (fixture.client(), fixture.client());
    assert_eq!(breaks.echo("a".to_owned()), Ok("a".to_owned()));
    drop(other);
    eventually("the other has gone", || fixture.server.clients().len() == 1);
    // An answer to no call, which no server sends.
    let stray = frame::frame(frame::ANSWER, &[&u64::MAX.to_le_bytes(), &[0; 4]]);
    let next = fixture.client();
    frame::write(&fixture.wire.newest(), &stray).expect("it is open");
    eventually("it has been cut off", || !next.connection().is_connected());
    assert!(matches!(next.echo(String::new()), Err(CallError::Disconnected(_))));
    assert_eq!(breaks.echo("a".to_owned()), Ok("a".to_owned()));
}
