//! The results of calls, for every kind of handler.

use std::collections::HashSet;

use witrpc_transport::{
    Answer, Body, ClientChannel, Limit, MIN_MESSAGE_LEN, Outgoing, Payload, pad,
};

use crate::codec::Codec;
use crate::connection::handshake::{Hello, SPOKEN};
use crate::endpoint::in_process::InProcess;
use crate::error::{CallError, Direction};
use crate::tag::{AnswerTag, RAW, RequestTag, Status};
use crate::transport::ConnectConfig;
use crate::{Endpoint, Mmf};

use super::by_hand::Returns;
use super::probe::{
    BULK, ECHO, ENCODE, EXPLODE, EXPLODE_AT_LENGTH, Fixture, GHOST, ProbeClient, Stubborn, WHO,
};

#[test]
fn either_codec_brings_values_and_errors_back() {
    let fixture = Fixture::new();
    for codec in Codec::all() {
        let client = ProbeClient::builder(fixture.place.clone()).codec(codec).connect().unwrap();
        let long = "longer than what fits beside a head, and not ASCII: Grüße ".repeat(10);
        assert_eq!(client.echo("hello").unwrap(), "hello", "{codec}");
        assert_eq!(client.echo(&long).unwrap(), long, "{codec}");
        assert_eq!(client.divide(42, 6).unwrap(), 7, "{codec}");
        let error = client.divide(1, 0).unwrap_err();
        assert!(matches!(&error, CallError::App(why) if why == "no quotient"), "{codec}: {error}");
        let bulk: Vec<u8> = client.call_with(BULK, 100_000_usize).unwrap();
        assert_eq!(bulk, vec![7; 100_000], "{codec}");
    }
}

fn explode(client: &ProbeClient, text: &str) -> CallError {
    let mut call = client.start(EXPLODE);
    call.str("text", text);
    call.block().outcome::<Returns<()>>().unwrap_err()
}

#[test]
fn a_panic_is_the_error_of_its_caller_only() {
    let fixture = Fixture::new();
    let client = fixture.client();
    let error = explode(&client, "a bug");
    assert!(matches!(&error, CallError::Panicked { message } if message == "a bug"), "{error}");
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn a_panic_of_many_words_is_cut_between_characters() {
    let fixture = Fixture::new();
    let error = explode(&fixture.client(), &format!("x{}", "ü".repeat(10_000)));
    let CallError::Panicked { message } = &error else { panic!("{error}") };
    assert_eq!(message.len(), 4095);
    assert!(message.ends_with('ü'));
}

#[test]
fn whatever_goes_wrong_is_told_under_the_least_limit_too() {
    let mmf = Mmf::unguessable().max_message_size(MIN_MESSAGE_LEN);
    let in_process = InProcess::new().max_message_size(MIN_MESSAGE_LEN);
    for place in [Endpoint::from(mmf), in_process.into()] {
        let fixture = Fixture::at(place, |builder| builder);
        let client = fixture.client();
        let error = client.call_with::<_, ()>(EXPLODE_AT_LENGTH, 100_usize).unwrap_err();
        let CallError::Panicked { message } = &error else { panic!("{error}") };
        assert_eq!(*message, format!("x{}", "ü".repeat(31)), "63 bytes, whole characters");

        let mut call = client.start(ECHO);
        call.str("text", "one");
        call.str("text", "too many");
        let error = call.block().outcome::<Returns<String>>().unwrap_err();
        assert!(matches!(&error, CallError::BadRequest { message } if !message.is_empty()));
        let error = client.call_with::<_, Stubborn>(ENCODE, false).map(drop).unwrap_err();
        assert!(matches!(&error, CallError::EncodeAnswer { message } if !message.is_empty()));
        let error = client.call_with::<_, Vec<u8>>(BULK, 65_usize).unwrap_err();
        let CallError::TooLarge { direction, len, max } = error else { panic!("{error}") };
        assert_eq!((direction, max), (Direction::Answer, MIN_MESSAGE_LEN));
        assert!(len >= 65, "{len}");
        let error = client.call::<()>(GHOST).unwrap_err();
        assert!(matches!(error, CallError::UnknownMethod { .. }), "{error}");
        assert_eq!(client.echo("still here").unwrap(), "still here");
    }
}

#[test]
fn an_answer_that_cannot_be_encoded_is_said_to_be_so() {
    let fixture = Fixture::new();
    let client = fixture.client();
    let error = client.call_with::<_, Stubborn>(ENCODE, false).map(drop).unwrap_err();
    assert!(
        matches!(&error, CallError::EncodeAnswer { message } if message.contains("result")),
        "{error}"
    );
    let error = client.call_with::<_, Stubborn>(ENCODE, true).map(drop).unwrap_err();
    assert!(
        matches!(&error, CallError::Panicked { message } if message == "while it was encoded"),
        "{error}"
    );
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn an_answer_over_the_limit_says_how_long_it_was() {
    let place = InProcess::new().max_message_size(10_000);
    let fixture = Fixture::at(place.into(), |builder| builder);
    let client = fixture.client();
    let error = client.call_with::<_, Vec<u8>>(BULK, 20_000_usize).unwrap_err();
    let CallError::TooLarge { direction, len, max } = error else { panic!("{error}") };
    assert_eq!((direction, max), (Direction::Answer, 10_000));
    assert!(len >= 20_000, "{len}");
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn arguments_that_do_not_decode_are_refused_by_name() {
    let fixture = Fixture::new();
    let client = fixture.client();
    let error = client.call::<String>(ECHO).unwrap_err();
    assert!(
        matches!(&error, CallError::BadRequest { message } if message.contains("text")),
        "{error}"
    );
    let mut call = client.start(ECHO);
    call.str("text", "one");
    call.str("text", "too many");
    let error = call.block().outcome::<Returns<String>>().unwrap_err();
    assert!(matches!(&error, CallError::BadRequest { .. }), "{error}");
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn a_method_that_the_service_does_not_know_is_an_error_of_the_call() {
    let fixture = Fixture::new();
    let client = fixture.client();
    let error = client.call::<()>(GHOST).unwrap_err();
    assert!(matches!(&error, CallError::UnknownMethod { method: "ghost" }), "{error}");
    assert_eq!(client.echo("still here").unwrap(), "still here");
}

#[test]
fn the_handler_sees_its_caller() {
    type Who = (u64, u32, u32, u64);
    let fixture = Fixture::new();
    let (first, second) = (fixture.client(), fixture.client());
    let calls: Vec<Who> = (0..100).map(|_| first.call(WHO).unwrap()).collect();
    let other: Who = second.call(WHO).unwrap();
    assert_eq!(calls.iter().map(|call| call.3).collect::<HashSet<_>>().len(), 100);
    assert!(calls.iter().all(|call| call.0 == calls[0].0 && call.1 == std::process::id()));
    assert_ne!(calls[0].0, other.0);
    let known: HashSet<u64> = fixture.server.handle().clients().iter().map(|c| c.id).collect();
    assert_eq!(known, HashSet::from([calls[0].0, other.0]));
}

/// Returns a client that can send requests the real one never sends.
fn raw_channel(fixture: &Fixture) -> std::sync::Arc<dyn ClientChannel> {
    let hello = Hello {
        version: SPOKEN.newest,
        service: "Probe".to_owned(),
        codec: 0,
        contract: Default::default(),
    };
    let config = ConnectConfig::new(postcard::to_allocvec(&hello).unwrap());
    fixture.place.transport().connect(config).unwrap()
}

#[test]
fn requests_without_meaning_are_answered_and_do_no_harm() {
    let fixture = Fixture::new();
    let channel = raw_channel(&fixture);
    let status = |tag, body: &[u8]| {
        let body = Body::Small { padded: &pad(body), len: body.len() };
        let message = Outgoing::new(tag, body);
        let ticket = channel.try_send(message).unwrap().unwrap();
        let mut answer = Answer::default();
        channel.wait_answer(ticket, &mut Limit::Never, &mut answer).unwrap();
        (AnswerTag::from_bits(answer.tag).unwrap().status, answer.payload)
    };
    let request = |method, service| RequestTag::call(service, method).bits();
    assert_eq!(status(request(ECHO, 0), b"\x02hi").0, Status::Ok);
    assert_eq!(status(request(ECHO, 200), b"\x02hi").0, Status::UnknownMethod);
    assert_eq!(status(request(16_000, 0), b"").0, Status::UnknownMethod);
    assert_eq!(status(1 << 27, b"").0, Status::BadRequest);
    assert_eq!(status(request(ECHO, 0) | RAW, b"\x02hi").0, Status::BadRequest);
    assert_eq!(status(request(ECHO, 0) | RAW, &[0xff; 48]).0, Status::BadRequest);
    let (refused, why) = status(request(ECHO, 0), &[0xff; 48]);
    assert_eq!(refused, Status::BadRequest);
    assert!(!matches!(why, Payload::Small { len: 0, .. }), "says why");
    assert_eq!(fixture.client().echo("still here").unwrap(), "still here");
}

#[test]
fn a_slow_handler_does_not_hold_up_its_own_client_either() {
    let fixture = Fixture::new();
    let client = fixture.client();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| client.hold(0));
        fixture.probe.gate.await_arrivals(1);
        assert_eq!(client.echo("meanwhile").unwrap(), "meanwhile");
        fixture.probe.gate.open();
        held.join().unwrap().unwrap();
    });
}
