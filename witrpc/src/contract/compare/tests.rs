//! The differences between two versions of a method, and their texts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::codec::Wire;
use crate::contract::shape::{Field, Name, Part, Shape, ShapeKind, TypeShape};
use crate::contract::{
    ArgumentDescriptor, ArgumentKind, EventDescriptor, MethodDescriptor, Overflow,
    ServiceDescriptor, Trace, Traced, trace, trace_raw,
};

use super::*;

/// Returns a contract with a method `call` of one argument and a plain result.
fn method(argument: (&'static str, Trace), result: Trace, error: Option<Trace>) -> Contract {
    let (name, shape) = argument;
    let arguments = vec![ArgumentDescriptor { name, kind: ArgumentKind::Value, shape }];
    let method = MethodDescriptor {
        name: "call",
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: arguments.leak(),
        streams: false,
        result,
        error,
    };
    let descriptor =
        ServiceDescriptor { name: "Test", docs: "", methods: vec![method].leak(), events: &[] };
    // In the form in which it comes from a server.
    Contract::read(&Traced::of(&descriptor, Codec::Postcard).bytes).unwrap();
    Traced::of(&descriptor, Codec::Json).contract
}

fn sending<T: Wire>() -> Contract {
    method(("it", trace::<T>), trace::<()>, None)
}

fn giving<T: Wire>() -> Contract {
    method(("it", trace::<()>), trace::<T>, None)
}

/// Returns an event of such arguments, and no method.
fn event(name: &'static str, arguments: Vec<(&'static str, Trace)>, overflow: Overflow) -> Traced {
    let argument = |(name, shape)| ArgumentDescriptor { name, kind: ArgumentKind::Value, shape };
    let arguments = arguments.into_iter().map(argument).collect::<Vec<_>>().leak();
    let event = EventDescriptor { name, docs: "", arguments, overflow };
    let descriptor =
        ServiceDescriptor { name: "Test", docs: "", methods: &[], events: vec![event].leak() };
    Traced::of(&descriptor, Codec::Postcard)
}

fn telling<T: Wire>() -> Contract {
    event("told", vec![("it", trace::<T>)], Overflow::DropOldest).contract
}

/// Returns the differences if the client reads events with an `A` and the server sends a `B`.
fn told<A: Wire, B: Wire>() -> Vec<String> {
    words(&telling::<A>(), &telling::<B>(), Codec::Postcard)
}

fn words(ours: &Contract, theirs: &Contract, codec: Codec) -> Vec<String> {
    compare(ours, theirs, Readers::default(), codec).all().map(ToString::to_string).collect()
}

/// Returns the differences if the client sends an `A` and the server takes a `B`.
fn sent<A: Wire, B: Wire>(codec: Codec) -> Vec<String> {
    words(&sending::<A>(), &sending::<B>(), codec)
}

/// Returns the differences if the client takes an `A` and the server returns a `B`.
fn given<A: Wire, B: Wire>(codec: Codec) -> Vec<String> {
    words(&giving::<A>(), &giving::<B>(), codec)
}

const BOTH: [Codec; 2] = [Codec::Postcard, Codec::Json];
const NOTHING: [&str; 0] = [];

#[derive(Serialize, Deserialize)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Serialize, Deserialize)]
struct Bounds {
    min: Point,
    all: Vec<Point>,
}

mod newer {
    use super::{Deserialize, Serialize};

    /// Another name, the same fields.
    #[derive(Serialize, Deserialize)]
    pub struct Position {
        x: f64,
        y: f64,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Meters(pub f64);

    #[derive(Serialize, Deserialize)]
    pub struct Moved {
        y: f64,
        x: f64,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Point {
        x: f32,
        y: f64,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Bounds {
        min: Point,
        all: Vec<Point>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct WithNote {
        x: f64,
        y: f64,
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct WithHeight {
        x: f64,
        y: f64,
        z: f64,
    }
}

#[test]
fn the_kind_of_a_value_is_part_of_the_contract() {
    for codec in BOTH {
        assert_eq!(sent::<i64, i32>(codec), ["call: argument `it` is i64 here and i32 there"]);
        assert_eq!(
            given::<Option<u8>, u8>(codec),
            ["call: the result is Option<u8> here and u8 there"]
        );
        assert_eq!(sent::<[u8; 3], [u8; 4]>(codec).len(), 1);
        assert_eq!(sent::<Vec<u16>, Vec<String>>(codec).len(), 1);
    }
}

#[test]
fn a_difference_deep_inside_says_where_and_only_once() {
    for codec in BOTH {
        assert_eq!(
            sent::<Bounds, newer::Bounds>(codec),
            ["call: argument `it`: `min.x` is f64 here and f32 there"]
        );
    }
}

#[test]
fn names_of_types_and_newtypes_do_not_count() {
    for codec in BOTH {
        assert_eq!(sent::<Point, newer::Position>(codec), NOTHING);
        assert_eq!(sent::<f64, newer::Meters>(codec), NOTHING);
        assert_eq!(sent::<Vec<newer::Meters>, Vec<f64>>(codec).len(), 1, "only one is raw");
        assert_eq!(sent::<(newer::Meters, u8), (f64, u8)>(codec), NOTHING);
    }
}

#[test]
fn the_order_of_fields_counts_where_they_have_no_names() {
    let moved = "call: argument `it` has its fields in another order there";
    assert_eq!(sent::<Point, newer::Moved>(Codec::Postcard), [moved]);
    assert_eq!(sent::<Point, newer::Moved>(Codec::Json), NOTHING);
}

#[test]
fn json_structs_may_gain_optional_fields() {
    assert_eq!(
        sent::<Point, newer::WithNote>(Codec::Postcard),
        ["call: argument `it`: `note` is only there"]
    );
    assert_eq!(sent::<Point, newer::WithNote>(Codec::Json), NOTHING);
    assert_eq!(sent::<newer::WithNote, Point>(Codec::Json), NOTHING);
    assert_eq!(given::<Point, newer::WithNote>(Codec::Json), NOTHING);
    for codec in BOTH {
        assert_eq!(
            given::<newer::WithHeight, Point>(codec),
            ["call: the result: `z` is only here"]
        );
    }
}

#[derive(Serialize, Deserialize)]
enum Figure {
    Dot,
    Line { len: u8 },
}

#[derive(Serialize, Deserialize)]
enum Appended {
    Dot,
    Line { len: u8 },
    Circle(u8),
}

#[derive(Serialize, Deserialize)]
enum Inserted {
    Dot,
    Circle(u8),
    Line { len: u8 },
}

#[derive(Serialize, Deserialize)]
enum Changed {
    Dot,
    Line(u8),
}

#[test]
fn the_reading_side_may_know_more_variants() {
    for codec in BOTH {
        assert_eq!(sent::<Figure, Appended>(codec), NOTHING);
        assert_eq!(given::<Appended, Figure>(codec), NOTHING);
        assert_eq!(
            given::<Figure, Appended>(codec),
            ["call: the result: `Circle` is a variant only there"]
        );
        assert_eq!(
            sent::<Appended, Figure>(codec),
            ["call: argument `it`: `Circle` is a variant only here"]
        );
        assert_eq!(
            sent::<Figure, Changed>(codec),
            ["call: argument `it`: `Line` is { len: u8 } here and (u8) there"]
        );
    }
    assert_eq!(
        sent::<Figure, Inserted>(Codec::Postcard),
        ["call: argument `it`: `Line` is variant 1 here and variant 2 there"]
    );
    assert_eq!(sent::<Figure, Inserted>(Codec::Json), NOTHING);
}

#[test]
fn a_list_that_holds_itself_is_compared_once() {
    #[derive(Serialize, Deserialize)]
    struct Node {
        value: u8,
        next: Option<Box<Node>>,
    }
    mod newer {
        #[derive(super::Serialize, super::Deserialize)]
        pub struct Node {
            value: u8,
            next: Option<Box<Node>>,
            back: u8,
        }
    }
    assert_eq!(sent::<Node, Node>(Codec::Json), NOTHING);
    assert_eq!(
        sent::<Node, newer::Node>(Codec::Json),
        ["call: argument `it`: `back` is only there"]
    );
}

#[test]
fn raw_slices_differ_by_their_elements_in_memory() {
    let ours = method(("it", trace_raw::<f64>), trace::<()>, None);
    let theirs = method(("it", trace_raw::<f32>), trace::<()>, None);
    for codec in BOTH {
        assert_eq!(
            words(&ours, &theirs, codec),
            ["call: argument `it`: `[]` is f64 here and f32 there"]
        );
        assert_eq!(words(&ours, &sending::<Vec<f64>>(), codec), NOTHING, "both are raw");
    }
}

#[test]
fn events_are_part_of_the_contract() {
    assert_eq!(told::<Point, newer::Position>(), NOTHING);
    assert_eq!(told::<f32, f64>(), ["told: argument `it` is f32 here and f64 there"]);
    assert_eq!(
        told::<Bounds, newer::Bounds>(),
        ["told: argument `it`: `min.x` is f64 here and f32 there"]
    );
    let two = event("told", vec![("it", trace::<u8>), ("by", trace::<u8>)], Overflow::DropOldest);
    assert_eq!(
        words(&telling::<u8>(), &two.contract, Codec::Postcard),
        ["told: is emitted with 1 argument here and 2 there"]
    );
    let named = event("told", vec![("what", trace::<u8>)], Overflow::DropOldest);
    assert_eq!(
        words(&telling::<u8>(), &named.contract, Codec::Postcard),
        ["told: argument 1 is `it` here and `what` there"]
    );
    assert_eq!(two.contract.to_string(), "event told(it: u8, by: u8)");
}

#[test]
fn of_an_event_the_client_reads_and_may_know_more_variants() {
    assert_eq!(told::<Appended, Figure>(), NOTHING);
    assert_eq!(
        told::<Figure, Appended>(),
        ["told: argument `it`: `Circle` is a variant only there"]
    );
}

#[test]
fn events_that_one_side_lacks_and_what_is_dropped_are_no_difference() {
    let wait = Overflow::Wait(std::time::Duration::from_millis(1));
    let [ours, theirs] = ["ours", "theirs"].map(|name| event(name, vec![], wait));
    assert_eq!(words(&ours.contract, &theirs.contract, Codec::Postcard), NOTHING);
    assert_ne!(ours.digest, theirs.digest, "so that the names are compared");
    let newest = event("ours", vec![], Overflow::DropNewest);
    assert_eq!((&ours.contract, ours.digest), (&newest.contract, newest.digest));
}

#[test]
fn what_a_hostile_server_says_of_events_is_checked_too() {
    let mut contract = telling::<Point>();
    contract.events[0].arguments[0].shape.root = Part::Type(7);
    assert!(Contract::read(&postcard::to_allocvec(&contract).unwrap()).is_err());
}

#[test]
fn what_one_side_streams_the_other_streams() {
    let plain = method(("it", trace::<u8>), trace::<u8>, None);
    let mut streams = method(("it", trace::<u8>), trace::<u8>, None);
    streams.methods[0].streams = true;
    assert_eq!(
        words(&streams, &plain, Codec::Postcard),
        ["call: the result is a stream here and a plain value there"]
    );
    streams.methods[0].arguments[0].streams = true;
    assert_eq!(
        words(&plain, &streams, Codec::Postcard)[0],
        "call: argument `it` is a stream there and a plain value here"
    );
    assert_eq!(streams.to_string(), "call(it: stream of u8) -> stream of u8");
    let mut items = method(("it", trace::<u8>), trace::<u16>, None);
    items.methods[0].streams = true;
    items.methods[0].arguments[0].streams = true;
    assert_eq!(
        words(&streams, &items, Codec::Postcard),
        ["call: an item is u8 here and u16 there"]
    );
}

#[test]
fn arguments_and_errors_are_told_apart() {
    let one = method(("a", trace::<u8>), trace::<u8>, Some(trace::<Figure>));
    let named = method(("b", trace::<u8>), trace::<u8>, Some(trace::<Appended>));
    assert_eq!(
        words(&one, &named, Codec::Postcard),
        [
            "call: argument 1 is `a` here and `b` there",
            "call: the error: `Circle` is a variant only there"
        ]
    );
    let plain = method(("a", trace::<u8>), trace::<u8>, None);
    assert_eq!(
        words(&one, &plain, Codec::Postcard),
        ["call: the result is a Result here and a plain value there"]
    );
    let mut none = plain;
    none.methods[0].arguments.clear();
    assert_eq!(words(&one, &none, Codec::Postcard)[0], "call: takes 1 argument here and 0 there");
}

#[test]
fn what_cannot_be_traced_is_not_compared_and_shows() {
    let any = sending::<serde_json::Value>();
    assert_eq!(words(&any, &sending::<u8>(), Codec::Json), NOTHING);
    assert_eq!(any.to_string(), "call(it: ?) -> ()");
    // In human-readable form, an address is text; otherwise an enum.
    assert_eq!(sent::<IpAddr, String>(Codec::Json), NOTHING);
}

/// Returns a contract as a hostile server could send it: a method `call` of such a shape.
fn hostile(types: Vec<ShapeKind>) -> Contract {
    let types = types.into_iter().map(|kind| TypeShape { name: Name::default(), kind }).collect();
    let mut contract = sending::<()>();
    contract.methods[0].arguments[0].shape = Shape { root: Part::Type(0), types, incomplete: None };
    let bytes = postcard::to_allocvec(&contract).unwrap();
    Contract::read(&bytes).expect("it is well-formed")
}

#[derive(Serialize, Deserialize)]
struct Chain(Option<Box<Next>>);

#[derive(Serialize, Deserialize)]
struct Next {
    next: Chain,
}

#[test]
fn a_hostile_contract_cannot_nest_without_end() {
    const LONG: usize = 100_000;
    let field = |part| Field { name: Some("next".into()), part };
    let link = |to| match to % 2 {
        1 => ShapeKind::Option(Part::Type(to)),
        _ => ShapeKind::Struct(vec![field(Part::Type(to))]),
    };
    let mut types: Vec<_> = (1..LONG).map(link).collect();
    types.push(ShapeKind::UnitStruct);
    let found = words(&sending::<Chain>(), &hostile(types), Codec::Postcard);
    assert!(found[0].ends_with("is too large or nests too deep to be compared"), "{found:?}");
}

#[test]
fn newtypes_of_themselves_end() {
    let found = words(&sending::<u8>(), &hostile(vec![ShapeKind::Newtype(Part::Type(0))]), BOTH[0]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_a_hostile_contract_makes_us_say_is_short() {
    // Doubles with each type.
    let mut types: Vec<_> =
        (1..60).map(|next| ShapeKind::Tuple(vec![Part::Type(next), Part::Type(next)])).collect();
    types.push(ShapeKind::Struct(vec![Field {
        name: Some("\u{1b}[31m".repeat(100_000).into()),
        part: Part::Type(0),
    }]));
    let theirs = hostile(types);
    let found = words(&sending::<u8>(), &theirs, Codec::Postcard);
    assert!(found[0].len() < 1_000, "{}", found[0].len());
    assert!(theirs.to_string().len() < 100_000);
    assert!(!theirs.to_string().contains('\u{1b}'));
}

#[test]
fn a_contract_that_makes_no_sense_is_refused() {
    let mut contract = sending::<Point>();
    contract.methods[0].result.root = Part::Type(7);
    let mut bytes = postcard::to_allocvec(&contract).unwrap();
    assert!(Contract::read(&bytes).is_err());
    contract = sending::<Point>();
    bytes = postcard::to_allocvec(&contract).unwrap();
    assert!(Contract::read(&bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(Contract::read(&bytes[..len]).is_err(), "{len}");
    }
    bytes.push(0);
    assert!(Contract::read(&bytes).is_err());
}
