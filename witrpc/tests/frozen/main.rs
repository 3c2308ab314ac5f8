//! Programs of an earlier version meet this one: what they said is kept as data.
//!
//! `version_3` has conversations of a client and a server that were built when the version of the
//! handshake was 3: the hello, the welcome, and each request with its answer. Here an old client is a
//! program that says these hellos and requests, and an old server one that answers as it did then. The
//! two sides must understand each other, or refuse each other for the version. If a change breaks that,
//! it needs a new version of the handshake, and a folder of its own here.
//!
//! The conversations over MessagePack were recorded by a build of the first commit that had both the codec and
//! this test.
//!
//! `WITRPC_FREEZE=1` writes the conversations of the present version.

#![allow(clippy::disallowed_methods, reason = "tests start threads as they like")]

mod conversation;
mod service;
mod transports;

use std::collections::BTreeMap;
use std::path::Path;

use witrpc::transport::{ConnectConfig, Limit, Transport};
use witrpc::{CallError, Codec, ConnectError, Endpoint, InProcess, WitServer};

use conversation::{Conversation, Exchange};
use service::{All, Desk, Kind, Point, Why, beside, later, plain};
use transports::{OldServer, Recorder, body};

/// The version of the handshake that the conversations are of.
const VERSION: u32 = 3;

/// In the order in which they were recorded: a welcome has the number of its client.
const CODECS: &[Codec] = &[
    Codec::Postcard,
    #[cfg(feature = "json")]
    Codec::Json,
    #[cfg(feature = "messagepack")]
    Codec::MessagePack,
];

fn all() -> All {
    All {
        small: -5,
        large: u128::MAX,
        ratio: -0.25,
        letter: 'ü',
        flags: (true, false),
        text: "longer than what fits beside the head of a message, and not ASCII: Grüße".to_owned(),
        none: None,
        some: Some(Box::new(Point(3, -4))),
        kinds: vec![
            Kind::Unit,
            Kind::Number(7),
            Kind::Pair(1, 2),
            Kind::Named { name: "a".into() },
        ],
        map: BTreeMap::from([("one".to_owned(), 1), ("two".to_owned(), 2)]),
    }
}

fn serve(endpoint: impl Into<Endpoint>) -> WitServer {
    let builder = WitServer::builder().listen(endpoint).service(plain::FrozenServer::new(Desk));
    builder.service(beside::BesideServer::new(Desk)).start().expect("the place is free")
}

/// Makes every call of a client that has the same version.
fn talk_as_equals(endpoint: &Endpoint, codec: Codec) -> Result<(), ConnectError> {
    let client = plain::FrozenClient::builder(endpoint.clone()).codec(codec).connect()?;
    assert_eq!(client.echo(all()), Ok(all()), "{codec}");
    let refused = client.echo(All { small: 0, ..all() });
    assert_eq!(refused, Err(CallError::App(Why::Nothing { of: Point(3, -4) })), "{codec}");
    assert_eq!(client.sum(&[1, 2, 0xffff_ffff]), Ok(0x1_0000_0002), "{codec}");
    assert_eq!(client.join(Path::new("a/b"), "c"), Ok("a/b/c".to_owned()), "{codec}");
    let raw: Vec<u64> = (0..100).collect();
    assert_eq!(client.doubled(raw.clone()), Ok(raw.iter().map(|n| n * 2).collect()), "{codec}");
    assert!(matches!(client.panics(), Err(CallError::Panicked { message }) if message == "a bug"));
    let beside: beside::BesideClient = client.connection().client()?;
    assert_eq!(beside.add(1, 2), Ok(3), "{codec}");
    Ok(())
}

/// Makes every call of a client that has another version of two methods.
fn talk_as_others(endpoint: &Endpoint, codec: Codec) -> Result<(), ConnectError> {
    let client = later::FrozenClient::builder(endpoint.clone()).codec(codec).connect()?;
    assert_eq!(client.echo(all()), Ok(all()), "{codec}");
    let refused = "sum: argument `values`: `[]` is u64 here and u32 there".to_owned();
    let refused = CallError::ContractMismatch { difference: refused };
    assert_eq!(client.sum(&[1, 2]), Err(refused), "{codec}");
    assert_eq!(client.added(), Err(CallError::UnknownMethod { method: "added" }), "{codec}");
    Ok(())
}

type Talk = fn(&Endpoint, Codec) -> Result<(), ConnectError>;

const TALKS: [(&str, Talk); 2] = [("equal", talk_as_equals), ("other", talk_as_others)];

fn conversations() -> impl Iterator<Item = (Codec, String, Talk)> {
    let name = |codec: Codec, talk| format!("{talk}.{codec}").to_lowercase();
    let of = move |codec: &Codec| TALKS.map(|(talk, say)| (*codec, name(*codec, talk), say));
    CODECS.iter().flat_map(of)
}

#[test]
fn a_new_client_meets_an_old_server() {
    if std::env::var_os("WITRPC_FREEZE").is_some() {
        freeze();
    }
    for (codec, name, talk) in conversations() {
        let old = Endpoint::new(OldServer { version: VERSION, said: Conversation::kept(&name) });
        match talk(&old, codec) {
            Ok(()) => {}
            Err(ConnectError::VersionMismatch { theirs: VERSION, .. }) => {}
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn an_old_client_meets_a_new_server() {
    for (_, name, _) in conversations() {
        let (place, said) = (InProcess::new(), Conversation::kept(&name));
        let _server = serve(place.clone());
        let channel = match place.connect(ConnectConfig::new(said.hello.clone())) {
            Ok(channel) => channel,
            Err(ConnectError::Refused(refusal)) => {
                // The form of this refusal is the same in all versions: its number, then the version.
                assert_eq!(refusal.first(), Some(&0), "{name}: it is refused for the version");
                assert_ne!(refusal.get(1), Some(&(VERSION as u8)), "{name}");
                continue;
            }
            Err(other) => panic!("{name}: {other}"),
        };
        assert!(
            Conversation::without_client(channel.welcome())
                == Conversation::without_client(&said.welcome),
            "{name}: the welcome differs, so an old client would take the service for another version"
        );
        for Exchange { tag, request, answer } in &said.exchanges {
            let padded = body::padded(request);
            let ticket = channel.try_send(body::outgoing(*tag, request, &padded)).unwrap().unwrap();
            let mut found = Default::default();
            channel.wait_answer(ticket, &mut Limit::Never, &mut found).unwrap();
            assert_eq!(body::answer(&found), *answer, "{name}: request {tag:#x} {request:02x?}");
        }
    }
}

/// Keeps the conversations of the present version.
fn freeze() {
    for (codec, name, talk) in conversations() {
        let recorder = Recorder::new(InProcess::new());
        let recorded = recorder.recorded();
        let endpoint = Endpoint::new(recorder);
        let _server = serve(endpoint.clone());
        talk(&endpoint, codec).unwrap();
        recorded.lock().unwrap().keep(&name);
    }
}
