//! Which types each codec refuses, and the texts of the refusals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::codec::Wire;
use crate::contract::signature::Signature;
use crate::contract::{
    ArgumentDescriptor, ArgumentKind, MethodDescriptor, ServiceDescriptor, Traced, trace,
    trace_raw, traced,
};

use super::*;

/// Returns the refusals for a method `save(options: T)`, as text.
fn refusals<T: Wire>(codec: Codec) -> Vec<String> {
    let arguments =
        vec![ArgumentDescriptor { name: "options", kind: ArgumentKind::Value, shape: trace::<T> }];
    let method = MethodDescriptor {
        name: "save",
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: arguments.leak(),
        streams: false,
        result: trace::<()>,
        error: None,
    };
    let mut refusals = Vec::new();
    Signature::of(&method, codec, &mut refusals);
    refusals.iter().map(ToString::to_string).collect()
}

#[derive(Serialize, Deserialize)]
struct Options {
    depth: Option<u8>,
    parent: Option<Box<Options>>,
    limit: Option<Option<u8>>,
    marks: Vec<Mark>,
}

#[derive(Serialize, Deserialize)]
enum Mark {
    None,
    Some(Option<()>),
    Both { left: HashMap<(u8, u8), u8>, right: u8 },
}

#[cfg(feature = "json")]
#[test]
fn json_refuses_two_nothings_and_keys_that_are_no_strings() {
    const NULL: &str = "JSON writes null for None and for Some of null";
    assert_eq!(
        refusals::<Options>(Codec::Json),
        [
            format!(
                "argument `options`: field `limit` of `Options` is Option<Option<_>>, and {NULL}"
            ),
            format!("argument `options`: field `0` of `Mark::Some` is Option<()>, and {NULL}"),
            "argument `options`: field `left` of `Mark::Both` is a map with keys of type [u8; 2], \
             which a JSON object cannot write as strings"
                .to_owned(),
        ]
    );
    assert_eq!(
        refusals::<Option<Option<u8>>>(Codec::Json),
        [format!("argument `options` is Option<Option<_>>, and {NULL}")]
    );
    assert_eq!(refusals::<BTreeMap<(), u8>>(Codec::Json).len(), 1);
    assert_eq!(refusals::<BTreeMap<Option<u8>, u8>>(Codec::Json).len(), 1);
}

#[cfg(feature = "json")]
#[derive(Serialize, Deserialize)]
struct Wrapped(Option<u8>);

#[cfg(any(feature = "json", feature = "messagepack"))]
#[derive(Serialize, Deserialize)]
struct Nothing;

#[cfg(feature = "json")]
#[test]
fn json_refuses_nothings_behind_newtypes() {
    assert_eq!(refusals::<Option<Wrapped>>(Codec::Json).len(), 1);
    assert_eq!(refusals::<Option<Nothing>>(Codec::Json).len(), 1);
    assert_eq!(refusals::<Vec<Wrapped>>(Codec::Json), [""; 0]);
}

#[cfg(feature = "json")]
#[derive(Serialize, Deserialize, PartialEq, Eq, Hash)]
enum Key {
    Left,
    Right,
}

#[cfg(feature = "json")]
#[derive(Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Name(String);

#[cfg(feature = "json")]
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Number(i32);

#[cfg(feature = "messagepack")]
#[test]
fn messagepack_refuses_two_nothings_and_takes_any_key() {
    const NULL: &str = "MessagePack writes null for None and for Some of null";
    assert_eq!(
        refusals::<Options>(Codec::MessagePack),
        [
            format!(
                "argument `options`: field `limit` of `Options` is Option<Option<_>>, and {NULL}"
            ),
            format!("argument `options`: field `0` of `Mark::Some` is Option<()>, and {NULL}"),
        ]
    );
    assert_eq!(refusals::<HashMap<(u8, u8), Option<Nothing>>>(Codec::MessagePack).len(), 1);
    assert_eq!(refusals::<Vec<Untagged>>(Codec::MessagePack), [""; 0]);
    assert_eq!(refusals::<Vec<Flat>>(Codec::MessagePack), [""; 0]);
}

#[cfg(feature = "json")]
#[test]
fn json_takes_what_it_gives_back() {
    assert_eq!(refusals::<HashMap<Key, u8>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<HashMap<Name, i128>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<HashMap<char, (u8, f64)>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<HashMap<u64, u8>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<BTreeMap<(i8, bool), u8>>(Codec::Json).len(), 1);
    assert_eq!(refusals::<BTreeMap<Number, BTreeMap<bool, i128>>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<Option<Vec<Option<u8>>>>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<Untagged>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<Flat>(Codec::Json), [""; 0]);
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Number { value: u8 },
    Nothing,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    before: u8,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[derive(Serialize, Deserialize)]
struct Holder {
    first: u8,
    choice: Vec<Untagged>,
    flat: Option<Flat>,
}

#[test]
fn postcard_refuses_what_asks_for_anything() {
    const ANY: &str = "is untagged, internally tagged or of any type, and postcard does not say \
                       what comes next";
    assert_eq!(
        refusals::<Holder>(Codec::Postcard),
        [
            format!("argument `options`: field `choice` of `Holder` {ANY}"),
            "argument `options`: field `flat` of `Holder` has flattened fields, and postcard does \
             not name any"
                .to_owned(),
        ]
    );
    assert_eq!(refusals::<Tagged>(Codec::Postcard), [format!("argument `options` {ANY}")]);
}

#[test]
fn postcard_takes_what_it_gives_back() {
    assert_eq!(refusals::<Options>(Codec::Postcard), [""; 0]);
    assert_eq!(refusals::<BTreeMap<u64, Option<()>>>(Codec::Postcard), [""; 0]);
}

#[derive(Serialize, Deserialize)]
enum SkipsVariant {
    First(u8),
    #[serde(skip)]
    #[allow(dead_code, reason = "what matters is that it is counted")]
    Skipped,
    Second(u8),
    Third(u8),
}

#[derive(Serialize, Deserialize)]
struct SkipsOneWay {
    a: u8,
    #[serde(skip_serializing, default)]
    #[allow(dead_code, reason = "what matters is that it is skipped")]
    b: u8,
}

#[test]
fn postcard_refuses_what_it_would_read_as_something_else() {
    for (refused, how) in [
        (refusals::<Vec<SkipsVariant>>(Codec::Postcard), "another value comes back"),
        (refusals::<SkipsOneWay>(Codec::Postcard), "the message ends within it"),
    ] {
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("`options` does not come back as it was sent"), "{refused:?}");
        assert!(refused[0].contains(how), "{refused:?}");
    }
}

#[cfg(feature = "json")]
#[test]
fn json_goes_by_names_and_takes_what_is_skipped() {
    assert_eq!(refusals::<SkipsVariant>(Codec::Json), [""; 0]);
    assert_eq!(refusals::<SkipsOneWay>(Codec::Json), [""; 0]);
}

#[derive(Serialize, Deserialize)]
enum Message {
    Ping,
    Note {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct Thread {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Thread>,
    title: String,
}

#[derive(Serialize, Deserialize)]
struct NoDefault {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

#[test]
fn fields_that_may_be_left_out_are_found_before_one_is() {
    let left_out = |field, of| {
        format!(
            "argument `options` may come without a field: field `{field}` of `{of}` is left out by \
             `skip_serializing_if`, and postcard has no field names to tell which: remove the \
             attribute, or use MessagePack or JSON"
        )
    };
    assert_eq!(refusals::<Vec<Option<Message>>>(Codec::Postcard), [left_out("by", "Note")]);
    assert_eq!(refusals::<HashMap<u8, Thread>>(Codec::Postcard), [left_out("answers", "Thread")]);
    for codec in Codec::all().filter(|codec| codec.describes_itself()) {
        assert_eq!(refusals::<Vec<Option<Message>>>(codec), [""; 0]);
        assert_eq!(refusals::<HashMap<u8, Thread>>(codec), [""; 0]);
        let refused = refusals::<Option<NoDefault>>(codec);
        assert!(refused.len() == 1 && refused[0].contains("missing field `tags`"), "{refused:?}");
    }
}

#[test]
fn a_problem_is_told_once_a_type() {
    let method = |name, result| MethodDescriptor {
        name,
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: &[],
        streams: false,
        result,
        error: None,
    };
    let methods = [
        method("load", trace::<Untagged> as _),
        method("reload", trace::<Untagged>),
        method("hold", trace::<Holder>),
        method("hold_all", trace::<Vec<Holder>>),
    ];
    let methods = Box::leak(Box::new(methods));
    let service = ServiceDescriptor { name: "Store", docs: "", methods, events: &[] };
    const ANY: &str = "is untagged, internally tagged or of any type, and postcard does not say \
                       what comes next";
    let told = format!(
        "the result {ANY}; in hold, the result: field `choice` of `Holder` {ANY}; in hold, the \
         result: field `flat` of `Holder` has flattened fields, and postcard does not name any"
    );
    assert_eq!(Traced::of(&service, Codec::Postcard).refusal(), Some(("load", told)));
}

static SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "Store",
    docs: "",
    methods: &[
        MethodDescriptor {
            name: "fine",
            docs: "",
            is_async: false,
            idempotent: false,
            arguments: &[ArgumentDescriptor {
                name: "samples",
                kind: ArgumentKind::Raw,
                shape: trace_raw::<f64>,
            }],
            streams: false,
            result: trace::<Vec<u8>>,
            error: None,
        },
        MethodDescriptor {
            name: "load",
            docs: "",
            is_async: true,
            idempotent: true,
            arguments: &[],
            streams: false,
            result: trace::<Untagged>,
            error: Some(trace::<Flat>),
        },
    ],
    events: &[],
};

#[test]
fn refusals_name_method_and_place_and_are_found_once() {
    let known = traced(&SERVICE, Codec::Postcard);
    let told: Vec<_> = known.refusals.iter().map(|r| (r.method, r.place.as_str())).collect();
    assert_eq!(told, [("load", "the result"), ("load", "the error")]);
    assert_eq!(known.refusal().map(|(method, _)| method), Some("load"));
    assert!(Arc::ptr_eq(&known, &traced(&SERVICE, Codec::Postcard)));
}

#[cfg(feature = "json")]
#[test]
fn a_service_may_fit_one_codec_only() {
    assert_eq!(traced(&SERVICE, Codec::Json).refusal(), None);
}

#[test]
fn a_few_of_the_parts_that_are_unknown_are_listed() {
    let refusal = |method, place: &str| CodecRefusal {
        method,
        place: place.to_owned(),
        within: place.to_owned(),
        problem: Problem::Unverified { reason: "not a port".to_owned() },
    };
    let part = |refusals: &[CodecRefusal]| {
        CodecRefusal::first_unverified(refusals).map(|first| (first.method, first.part))
    };
    let told = |part: &str| Some(("open".to_owned(), part.to_owned()));
    let mut refusals = vec![refusal("open", "`a`"), refusal("open", "`b`")];
    assert_eq!(part(&refusals), told("`a`, `b`"));
    refusals.extend([refusal("close", "`z`"), refusal("open", "`c`"), refusal("open", "`d`")]);
    assert_eq!(part(&refusals), told("`a`, `b`, `c` (and 2 more)"));
    assert_eq!(part(&[]), None);
}
