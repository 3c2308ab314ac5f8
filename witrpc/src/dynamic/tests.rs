//! Values made from JSON by their shape, beside the same values as their types encode them.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use witrpc_transport::Payload;

use crate::codec::{Codec, Encoder, OwnedBody, Wire};
use crate::contract::shape::Shape;
use crate::contract::{MethodDescriptor, ServiceDescriptor, Traced, trace};

use super::fit::Fitter;
use super::message::{Fitted, read_only};
use super::path::Misfit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u64,
    small: (i8, u8, i16, u16, i32, u32, i64),
    wide: (i128, u128),
    price: f64,
    weight: f32,
    letter: char,
    paid: bool,
    note: Option<String>,
    twice: Option<Vec<Option<u8>>>,
    lines: Vec<Line>,
    by_number: BTreeMap<u32, Kind>,
    by_kind: BTreeMap<Kind, Id>,
    nothing: (),
    mark: Mark,
    next: Option<Box<Order>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    #[serde(rename = "item-id")]
    item: Id,
    count: u8,
    kind: Kind,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Id(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mark;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Fragile,
    Plain,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Content {
    Empty,
    Text(String),
    Pair(i32, Id),
    Box { wide: bool, inner: Option<Kind> },
}

/// Returns the shape of a type over a codec, as a server sends it.
fn shape_of<T: Wire>(codec: Codec) -> Shape {
    let method = MethodDescriptor {
        name: "method",
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: &[],
        streams: false,
        result: trace::<T>,
        error: None,
    };
    let methods = vec![method].leak();
    let descriptor = ServiceDescriptor { name: "Service", docs: "", methods, events: &[] };
    Traced::of(&descriptor, codec).contract.methods.remove(0).result
}

/// Returns the body of a message with that value, and whether it has raw sections.
fn typed<T: Wire>(value: &T, codec: Codec) -> (bool, Vec<u8>) {
    let mut encoder = Encoder::new(codec);
    encoder.value("value", value).expect("its type encodes");
    encoder.to_bytes()
}

/// Makes a value ready for a server that tells of no field that may be missing.
fn fit(shape: &Shape, codec: Codec, value: &Value, name: &str) -> Result<Fitted, Misfit> {
    Fitted::new(&Fitter { shape, codec, may_lack: &|_, _, _| false }, value, name)
}

fn untyped(value: &Value, shape: &Shape, codec: Codec) -> (bool, Vec<u8>) {
    let fitted = fit(shape, codec, value, "value").unwrap_or_else(|error| panic!("{error}"));
    let mut encoder = Encoder::new(codec);
    fitted.put(&mut encoder).unwrap_or_else(|error| panic!("{error}"));
    encoder.to_bytes()
}

fn shown(body: (bool, Vec<u8>), shape: &Shape, codec: Codec) -> Result<Value, String> {
    let (raw, bytes) = body;
    let body = OwnedBody::new(Payload::Whole(bytes), raw, codec).expect("it is a body");
    read_only(shape, body.decoder(), "value").map_err(|error| error.to_string())
}

/// Checks that JSON becomes the bytes that the type writes, and that these become the JSON again.
fn same<T: Wire + Debug + PartialEq + DeserializeOwned>(value: &T) {
    let json = serde_json::to_value(value).expect("it has a form in JSON");
    for codec in Codec::all() {
        let shape = shape_of::<T>(codec);
        let bytes = typed(value, codec);
        assert_eq!(untyped(&json, &shape, codec), bytes, "{codec}: {json}");
        let shown = shown(bytes, &shape, codec).unwrap_or_else(|error| panic!("{codec}: {error}"));
        let read: T = serde_json::from_value(shown.clone()).expect("it is the same type");
        assert_eq!(&read, value, "{codec}: {shown}");
    }
}

fn misfit<T: Wire>(value: &Value, codec: Codec) -> String {
    let fitted = fit(&shape_of::<T>(codec), codec, value, "order");
    fitted.err().expect("it does not fit").to_string()
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Plain), Just(Kind::Fragile)]
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Empty),
        any::<String>().prop_map(Content::Text),
        any::<(i32, u64)>().prop_map(|(a, b)| Content::Pair(a, Id(b))),
        (any::<bool>(), prop::option::of(kinds()))
            .prop_map(|(wide, inner)| Content::Box { wide, inner }),
    ]
}

fn lines() -> impl Strategy<Value = Line> {
    (any::<u64>(), any::<u8>(), kinds(), contents()).prop_map(|(item, count, kind, content)| Line {
        item: Id(item),
        count,
        kind,
        content,
    })
}

prop_compose! {
    fn orders()(
        number: u64,
        small: (i8, u8, i16, u16, i32, u32, i64),
        wide: (i64, u64),
        price in prop::num::f64::NORMAL | prop::num::f64::ZERO,
        weight in prop::num::f32::NORMAL | prop::num::f32::ZERO,
        letter: char,
        paid: bool,
        note: Option<String>,
        twice: Option<Vec<Option<u8>>>,
        lines in prop::collection::vec(lines(), 0..4),
        by_number in prop::collection::btree_map(0..10_u32, kinds(), 0..3),
        by_kind in prop::collection::btree_map(kinds(), any::<u64>().prop_map(Id), 0..3),
    ) -> Order {
        let wide = (wide.0.into(), wide.1.into());
        let (nothing, mark, next) = ((), Mark, None);
        Order {
            number, small, wide, price, weight, letter, paid, note, twice, lines, by_number,
            by_kind, nothing, mark, next,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn json_becomes_the_bytes_of_the_type_over_each_codec(
        outer in orders(),
        inner in prop::option::of(orders()),
    ) {
        same(&Order { next: inner.map(Box::new), ..outer });
    }

    #[test]
    fn numbers_in_memory_become_what_the_type_sends(
        small: Vec<i16>,
        wide: Vec<u64>,
        floats in prop::collection::vec(prop::num::f32::NORMAL, 0..9),
    ) {
        same(&small);
        same(&wide);
        same(&floats);
    }

    #[test]
    fn bytes_are_base64_and_may_be_given_as_numbers(bytes: Vec<u8>) {
        for codec in Codec::all() {
            let (shape, sent) = (shape_of::<Vec<u8>>(codec), typed(&bytes, codec));
            prop_assert_eq!(untyped(&json!(bytes), &shape, codec), sent.clone());
            let text = shown(sent.clone(), &shape, codec).expect("bytes are shown");
            prop_assert!(text.is_string());
            prop_assert_eq!(untyped(&text, &shape, codec), sent);
        }
    }

    #[test]
    fn bytes_without_meaning_are_an_error_or_a_value(bytes: Vec<u8>) {
        for codec in Codec::all() {
            let _ = shown((false, bytes.clone()), &shape_of::<Order>(codec), codec);
        }
    }
}

/// A value that fits, as a start for those that do not.
fn order() -> Value {
    json!({
        "number": 1, "small": [1, 2, 3, 4, 5, 6, 7], "wide": [1, 2], "price": 1.5, "weight": 2,
        "letter": "ä", "paid": true, "lines": [
            { "item-id": 1, "count": 1, "kind": "Plain", "content": "Empty" },
            { "item-id": 1, "count": 1, "kind": "Plain", "content": { "Pair": [1, 2] } },
        ],
        "by_number": { "7": "Plain" }, "by_kind": { "Fragile": 9 }, "nothing": null, "mark": null,
    })
}

#[test]
fn an_error_names_the_part_and_the_rule() {
    let cases = [
        ("/number", json!(-1), "`order.number` is -1, which u64 does not hold"),
        ("/number", json!(1.5), "`order.number` is 1.5, which is no integer: u64 is wanted"),
        ("/small/1", json!(256), "`order.small[1]` is 256, which u8 does not hold"),
        ("/small", json!([1]), "`order.small` has 1 elements, where 7 are wanted"),
        ("/lines/1/count", json!(300), "`order.lines[1].count` is 300, which u8 does not hold"),
        ("/lines/1/count", json!("x"), "`order.lines[1].count` is a text, where u8 is wanted"),
        ("/lines/0", json!({}), "`order.lines[0].item-id` is missing"),
        (
            "/lines/0/kind",
            json!("Odd"),
            "`order.lines[0].kind` has no variant `Odd`: there are \
            `Fragile`, `Plain`",
        ),
        (
            "/lines/1/content",
            json!({ "Pair": [1, "x"] }),
            "`order.lines[1].content.Pair[1]` is a \
            text, where u64 is wanted",
        ),
        (
            "/lines/1/content",
            json!({ "Empty": 1 }),
            "`order.lines[1].content.Empty` has no content",
        ),
        (
            "/by_number",
            json!({ "x": "Plain" }),
            "`order.by_number.x` is a text, where u32 is wanted",
        ),
        ("/letter", json!("ab"), "`order.letter` is a text, where char is wanted"),
        ("/weight", json!(1e300), "`order.weight` is 1e+300, which f32 does not hold"),
        (
            "/wide/1",
            json!(1e30),
            "`order.wide[1]` is 1e+30, beyond the integers that JSON carries \
            here, up to 18446744073709551615",
        ),
    ];
    for codec in Codec::all() {
        for (place, wrong, expected) in &cases {
            let mut value = order();
            *value.pointer_mut(place).expect("the place is there") = wrong.clone();
            let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(misfit::<Order>(&value, codec), expected, "{codec}");
        }
        let mut more = order();
        more["lines"][0]["cout"] = json!(1);
        assert_eq!(
            misfit::<Order>(&more, codec),
            "`order.lines[0].cout` is not a field: there are `item-id`, `count`, `kind`, `content`"
        );
    }
}

#[test]
fn an_answer_that_json_does_not_carry_names_the_part() {
    for codec in Codec::all() {
        let wide = shown(typed(&(1_u8, u128::MAX), codec), &shape_of::<(u8, u128)>(codec), codec);
        let wide = wide.unwrap_err();
        assert!(wide.starts_with("`value[1]` is 340282366920938"), "{wide}");
        assert!(
            wide.ends_with(
                "beyond the integers that JSON carries here, up to 18446744073709551615"
            )
        );
        if codec != Codec::Json {
            let shape = shape_of::<(f64, f32)>(codec);
            let infinite = shown(typed(&(1.0, f32::INFINITY), codec), &shape, codec).unwrap_err();
            assert!(infinite.contains("`value[1]` is inf, which JSON has no notation for"));
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Names(Vec<String>),
}

#[test]
fn an_opaque_part_passes_where_the_codec_describes_it() {
    type Pair = (u8, Untagged);
    let value: Pair = (3, Untagged::Names(vec!["a".to_owned()]));
    let json = json!([3, ["a"]]);
    for codec in Codec::all().filter(|codec| codec.describes_itself()) {
        let shape = shape_of::<Pair>(codec);
        assert_eq!(untyped(&json, &shape, codec), typed(&value, codec));
        assert_eq!(shown(typed(&value, codec), &shape, codec), Ok(json.clone()));
    }
    assert_eq!(
        misfit::<Pair>(&json, Codec::Postcard),
        "`order[1]` has a type that reads whatever comes, and postcard does not describe it: use JSON"
    );
    let read = shown((false, vec![3, 1]), &shape_of::<Pair>(Codec::Postcard), Codec::Postcard);
    assert!(read.unwrap_err().contains("`value[1]` has a type that reads whatever comes"));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Figure {
    Circle {
        radius: u8,
        #[serde(alias = "colour")]
        color: String,
        note: Option<String>,
    },
    Dot,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Drawing {
    figures: Vec<Figure>,
}

#[test]
fn a_tagged_enum_is_checked_as_far_as_it_is_known() {
    let drawing = |circle: Value| json!({ "figures": [{ "kind": "Dot" }, circle] });
    let circle = json!({ "kind": "Circle", "radius": 3, "color": "red", "note": "round" });
    let by_alias = json!({ "kind": "Circle", "radius": 3, "colour": "red" });
    for codec in Codec::all().filter(|codec| codec.describes_itself()) {
        let shape = shape_of::<Drawing>(codec);
        let value: Drawing = serde_json::from_value(drawing(circle.clone())).expect("it is one");
        let bytes = typed(&value, codec);
        assert_eq!(
            shown(bytes, &shape, codec).map(|it| it["figures"][1].clone()),
            Ok(circle.clone())
        );
        for fits in [&circle, &by_alias] {
            let (_, sent) = untyped(&drawing(fits.clone()), &shape, codec);
            let body = OwnedBody::new(Payload::Whole(sent), false, codec).expect("it is a body");
            let read: Drawing = body.decoder().value("value").expect("its type reads it");
            assert!(matches!(&read.figures[1], Figure::Circle { radius: 3, .. }), "{read:?}");
        }
        for (circle, expected) in [
            (
                json!({ "kind": "Circle", "radius": 300, "color": "red" }),
                "`order.figures[1].radius` is 300, which u8 does not hold",
            ),
            (json!({ "kind": "Circle", "radius": 3 }), "`order.figures[1].color` is missing"),
            (
                json!({ "kind": "Oval" }),
                "`order.figures[1].kind` has no variant `Oval`: there are `Circle`, `Dot`",
            ),
            (json!({ "radius": 3 }), "`order.figures[1].kind` is missing"),
            (
                json!({ "kind": 1 }),
                "`order.figures[1].kind` is a number, where the name of a variant is wanted",
            ),
            (json!("Dot"), "`order.figures[1]` is a text, where an object with `kind` is wanted"),
        ] {
            assert_eq!(misfit::<Drawing>(&drawing(circle), codec), expected, "{codec}");
        }
    }
    let over_postcard = misfit::<Drawing>(&drawing(circle), Codec::Postcard);
    assert!(over_postcard.ends_with("postcard does not describe it: use JSON"), "{over_postcard}");
}

#[test]
fn a_shape_that_contains_itself_ends() {
    use crate::contract::shape::{Part, ShapeKind, TypeShape};
    let root = Part::Type(0);
    for kind in [ShapeKind::Newtype(Part::Type(0)), ShapeKind::Option(Part::Type(0))] {
        let types = vec![TypeShape { name: "Endless".into(), kind }];
        let shape = Shape { root: root.clone(), types, incomplete: None };
        for codec in Codec::all() {
            let fitted = fit(&shape, codec, &json!(1), "value").err().expect("it ends");
            assert!(fitted.problem.contains("nested deeper than 128"), "{fitted}");
            let _ = shown((false, vec![1; 100_000]), &shape, codec).map(drop);
        }
    }
}
