//! Spans around calls, on both sides. It runs with `--features tracing`.

use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use witrpc::{CallError, CallOptions};
use witrpc_tests::cancellation::{CancellationAsyncClient, CancellationClient};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::spans::{self, Seen};
use witrpc_tests::streams::StreamsClient;
use witrpc_tests::watchdog::eventually;

/// Returns the span of the only call of a method.
fn only(spans: Vec<Seen>, name: &str, method: &str) -> Option<Seen> {
    let of = |span: &Seen| span.name == name && span.field("method") == method;
    let mut found: Vec<_> = spans.into_iter().filter(of).collect();
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

/// Returns the spans of the only call of a method, on its client and on its server.
fn both(fixture: &Fixture, method: &str) -> (Seen, Seen) {
    let made = only(spans::seen(), "call", method).expect("its client has seen it");
    eventually("the server has told the outcome", || {
        only(fixture.spans(), "serve", method)
            .is_some_and(|served| !served.field("outcome").is_empty())
    });
    (made, only(fixture.spans(), "serve", method).expect("it was there"))
}

fn assert_one_call(fixture: &Fixture, method: &str, outcomes: [&str; 2]) -> (Seen, Seen) {
    let (made, served) = both(fixture, method);
    assert_eq!(made.id(), served.id(), "{method}");
    assert!(made.id().0.parse::<u64>().is_ok() && made.id().1.parse::<u64>().is_ok(), "{made:?}");
    assert_eq!(made.field("service"), served.field("service"));
    assert_eq!([made.field("outcome"), served.field("outcome")], outcomes, "{method}");
    assert!(served.entered > 0, "the handler of {method} runs within it");
    (made, served)
}

#[test]
fn both_sides_of_a_call_have_a_span_of_one_id_in_two_processes() {
    spans::collect();
    let fixture = Fixture::new(Transport::Mmf);
    let (client, later) = (fixture.client(), fixture.async_client());
    let who = client.who().unwrap();
    let (made, _) = assert_one_call(&fixture, "who", ["Ok", "Ok"]);
    let id = (who.client_id.to_string(), who.call_id.to_string());
    assert_eq!(made.id(), (id.0.as_str(), id.1.as_str()), "what the handler is told");
    assert!(client.divide(1, 0).is_err());
    assert_one_call(&fixture, "divide", ["AppError", "AppError"]);
    assert!(client.fail("it does").is_err());
    let (made, _) = assert_one_call(&fixture, "fail", ["Failed", "Panicked"]);
    assert!(made.field("error").contains("it does"), "{made:?}");
    assert_eq!(block_on(later.lookup("pi")), Ok(Some("PI".to_owned())));
    let (_, served) = assert_one_call(&fixture, "lookup", ["Ok", "Ok"]);
    assert!(served.entered >= 2, "at each poll: {served:?}");
}

#[test]
fn a_call_that_a_handler_makes_is_within_its_span() {
    spans::collect();
    let fixture = Fixture::new(Transport::Mmf);
    let relayed = fixture.client().relay(fixture.address().clone(), 1, Duration::from_secs(30));
    assert!(relayed.is_ok(), "{relayed:?}");
    let made = |span: &Seen| span.name == "call" && span.field("method") == "relay";
    let nested: Vec<_> = fixture.spans().into_iter().filter(made).collect();
    let outer = only(spans::seen(), "call", "relay").unwrap();
    let within = nested[0].within.clone().expect("the handler's span is around it");
    assert_eq!((within["client"].as_str(), within["call"].as_str()), outer.id());
}

#[test]
fn in_one_process_too_and_a_call_that_is_dropped_is_cancelled() {
    spans::collect();
    let fixture = Fixture::new(Transport::InProcess);
    let client = CancellationClient::connect(fixture.endpoint()).unwrap();
    let later = block_on(CancellationAsyncClient::connect(fixture.endpoint())).unwrap();
    assert_eq!(client.pass(7, 0, vec![1]), Ok(vec![1]));
    assert_one_call(&fixture, "pass", ["Ok", "Ok"]);
    let mut staying = later.stay_asleep(1).boxed();
    assert!((&mut staying).now_or_never().is_none());
    drop(staying);
    assert_one_call(&fixture, "stay_asleep", ["Cancelled", "Ok"]);
    let late = client.with(CallOptions::new().timeout(Duration::ZERO));
    assert_eq!(late.begun(0), Err(CallError::Expired));
    let expired = only(spans::seen(), "call", "begun").unwrap();
    assert_eq!((expired.id(), expired.field("outcome")), (("", ""), "Failed"));
    assert_eq!(only(fixture.spans(), "serve", "begun"), None, "it was not sent");
}

#[test]
fn a_stream_is_made_within_the_span_of_its_call_and_pulls_have_none() {
    spans::collect();
    let fixture =
        Fixture::with(Transport::Mmf, FixtureConfig { streams: true, ..FixtureConfig::default() });
    let client = StreamsClient::connect(fixture.endpoint()).unwrap();
    assert_eq!(client.range(20_000).unwrap().count(), 20_000);
    let (_, served) = assert_one_call(&fixture, "range", ["Ok", "Ok"]);
    assert!(served.entered >= 2, "{served:?}");
    assert_eq!(client.sum(0..100), Ok(4950));
    assert_one_call(&fixture, "sum", ["Ok", "Ok"]);
    let spans = fixture.spans();
    assert_eq!(spans.len(), 2, "{spans:?}");
}
