//! Hooks around the calls of a server and of a client.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use witrpc::{CallEnd, CallError, CallOptions, CancelToken, ClientHook, MadeCall, Rejection};
use witrpc_tests::basic::{BasicClient, DivideError};
use witrpc_tests::cancellation::{CancellationAsyncClient, CancellationClient, Line};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::eventually;

fn fixture(transport: Transport) -> Fixture {
    Fixture::with(transport, FixtureConfig { bookkeeping: true, ..FixtureConfig::default() })
}

/// Returns the notes of the calls of one method, once there are `count` of them. The server's hook
/// runs after a call has been answered, and so perhaps after its caller has the answer.
fn lines(client: &CancellationClient, method: &str, count: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    eventually("the hook is told", || {
        lines = client.book().expect("the server answers");
        lines.retain(|line| line.method.1 == method);
        lines.len() >= count
    });
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

/// What a client's hook got.
#[derive(Debug, PartialEq)]
struct Told {
    method: &'static str,
    sent_as: Option<(u64, u64)>,
    lens: (usize, usize),
    end: String,
    timed: bool,
}

struct Reporter(Sender<Told>);

impl ClientHook for Reporter {
    fn before(&self, call: &MadeCall) -> Result<(), Rejection> {
        assert_eq!((call.sent_as(), call.duration()), (None, None));
        if call.method() == "counted" { Err(Rejection::new("do not ask")) } else { Ok(()) }
    }

    fn after(&self, call: &MadeCall, end: CallEnd<'_>, answer_len: usize) {
        let told = Told {
            method: call.method(),
            sent_as: call.sent_as(),
            lens: (call.request_len(), answer_len),
            end: match end {
                CallEnd::Failed(CallError::Panicked { .. }) => "panicked".to_owned(),
                CallEnd::Failed(error) => format!("{error:?}"),
                end => format!("{end:?}"),
            },
            timed: call.duration().is_some(),
        };
        let _ = self.0.send(told);
    }

    fn wants_durations(&self) -> bool {
        true
    }
}

fn reported(fixture: &Fixture) -> (CancellationClient, CancellationAsyncClient, Receiver<Told>) {
    let (tell, told) = mpsc::channel();
    let client =
        CancellationClient::builder(fixture.endpoint()).hook(Reporter(tell.clone())).connect();
    let later = CancellationAsyncClient::builder(fixture.endpoint()).hook(Reporter(tell)).connect();
    (client.unwrap(), block_on(later).unwrap(), told)
}

over_both_transports! {
    fn a_server_hook_sees_each_call_and_how_it_ended(transport) {
        let fixture = fixture(transport);
        let client = CancellationClient::connect(fixture.endpoint()).unwrap();
        let basic = BasicClient::connect(fixture.endpoint()).unwrap();
        let who = basic.who().unwrap();
        assert_eq!(basic.divide(1, 0), Err(CallError::App(DivideError::ByZero)));
        assert_eq!(basic.divide_later(1, 1), Ok(1));
        assert!(matches!(basic.fail("it does"), Err(CallError::Panicked { .. })));
        assert_eq!(basic.make(3_000, 1).unwrap().len(), 3_000);
        let line = &lines(&client, "who", 1)[0];
        assert_eq!(line.method, ("Basic".to_owned(), "who".to_owned()));
        assert_eq!(line.client, (who.client_id, who.pid));
        assert_eq!(line.call_id, who.call_id);
        for (method, end) in
            [("divide", "AppError"), ("divide_later", "Ok"), ("fail", "Panicked"), ("make", "Ok")]
        {
            let lines = lines(&client, method, 1);
            assert_eq!(lines[0].end, end, "{method}");
            assert!(lines[0].timed && lines[0].lens.0 > 0, "{method}");
        }
        assert!((3_000..3_020).contains(&lines(&client, "make", 1)[0].lens.1));
    }

    fn a_server_hook_rejects_a_call_with_its_reason(transport) {
        let fixture = fixture(transport);
        let client = CancellationClient::connect(fixture.endpoint()).unwrap();
        let error = client.count().unwrap_err();
        let reason = "not the first time".to_owned();
        assert_eq!(error, CallError::Rejected { reason, is_retryable: true });
        assert!(error.is_retryable() && !error.maybe_executed());
        // Two threads of the server may note the two calls.
        assert_eq!(lines(&client, "count", 1)[0].end, "Rejected");
        assert_eq!(client.counted(), Ok(0));
        assert_eq!(client.count(), Ok(()));
        assert_eq!(client.counted(), Ok(1));
        let ends: Vec<_> = lines(&client, "count", 2).into_iter().map(|line| line.end).collect();
        assert_eq!(ends, ["Rejected", "Ok"]);
    }

    fn a_server_hook_that_panics_ends_its_call_and_nothing_else(transport) {
        let fixture = fixture(transport);
        let client = CancellationClient::connect(fixture.endpoint()).unwrap();
        match client.time_left() {
            Err(CallError::Panicked { message }) => assert!(message.contains("fragile"), "{message}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(client.counted(), Ok(0));
    }

    fn a_server_hook_sees_each_client_come_and_go(transport) {
        let fixture = fixture(transport);
        let client = CancellationClient::connect(fixture.endpoint()).unwrap();
        let other = BasicClient::connect(fixture.endpoint()).unwrap();
        let who = other.who().unwrap();
        let has = |end: &str| {
            let book = client.book().unwrap();
            book.iter().any(|line| line.end == end && line.client == (who.client_id, who.pid))
        };
        assert!(has("joined") && !has("left"));
        drop(other);
        eventually("the hook is told that it has left", || has("left"));
    }

    fn an_expired_call_is_told_as_such(transport) {
        let fixture = Fixture::with(
            transport,
            FixtureConfig { bookkeeping: true, max_workers: Some(1), ..FixtureConfig::default() },
        );
        let client = CancellationClient::connect(fixture.endpoint()).unwrap();
        let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(20)));
        let token = CancelToken::new();
        let staying = client.with(CallOptions::new().cancelled_by(&token));
        std::thread::scope(|scope| {
            let staying = scope.spawn(move || staying.stay(1));
            eventually("the only worker stays", || fixture.metrics().in_flight == 1);
            let ended = hasty.counted();
            token.cancel();
            assert_eq!(staying.join().unwrap(), Err(CallError::Cancelled));
            let late = matches!(ended, Err(CallError::TimedOut { .. } | CallError::Expired));
            assert!(late, "{ended:?}");
        });
        assert_eq!(lines(&client, "counted", 1)[0].end, "Expired");
    }

    fn a_client_hook_sees_each_call_and_how_it_ended(transport) {
        let fixture = fixture(transport);
        let (client, later, told) = reported(&fixture);
        let other = CancellationClient::connect(fixture.endpoint()).unwrap();
        let mut ids = Vec::new();
        for (count, blocking) in [(1, true), (2, false)] {
            let answer = if blocking {
                client.pass(7, 0, vec![1; 5_000])
            } else {
                block_on(later.pass(7, 0, vec![1; 5_000]))
            };
            assert_eq!(answer.unwrap().len(), 5_000);
            let told = told.recv().unwrap();
            assert_eq!((told.method, told.end.as_str()), ("pass", "Ok"));
            assert!(told.timed && told.lens.0 > 5_000 && told.lens.1 >= 5_000);
            let line = lines(&other, "pass", count).pop().unwrap();
            assert_eq!(told.sent_as, Some((line.client.0, line.call_id)), "the same on both sides");
            assert_eq!(told.lens, line.lens);
            ids.push(told.sent_as);
        }
        assert_ne!(ids[0], ids[1]);
    }

    fn a_client_hook_is_told_of_calls_that_fail(transport) {
        let fixture = fixture(transport);
        let (client, later, told) = reported(&fixture);
        let reason = "do not ask".to_owned();
        let rejected = CallError::Rejected { reason, is_retryable: false };
        assert_eq!(client.counted(), Err(rejected.clone()));
        let end = format!("{rejected:?}");
        assert_eq!(
            told.recv().unwrap(),
            Told { method: "counted", sent_as: None, lens: (0, 0), end, timed: true }
        );
        let late = client.with(CallOptions::new().timeout(Duration::ZERO));
        assert_eq!(late.begun(0), Err(CallError::Expired));
        assert_eq!(told.recv().unwrap().end, "Expired");
        let mut staying = later.stay_asleep(1).boxed();
        assert!((&mut staying).now_or_never().is_none());
        drop(staying);
        let dropped = told.recv().unwrap();
        assert_eq!((dropped.method, dropped.end.as_str()), ("stay_asleep", "Cancelled"));
        assert!(dropped.sent_as.is_some());
        assert!(client.time_left().is_err());
        assert_eq!(told.recv().unwrap().end, "panicked");
    }
}
