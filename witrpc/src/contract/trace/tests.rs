//! Traces of types that are hard to trace.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::contract::trace;

use super::*;

/// Returns the shape as text, in the form that is not human-readable.
fn shape<T: DeserializeOwned>() -> String {
    shape_of::<T>(false, |_| {}).to_string()
}

/// Returns the shape as text, in the human-readable form.
fn readable_shape<T: DeserializeOwned>() -> String {
    shape_of::<T>(true, |_| {}).to_string()
}

fn reported(trace: crate::contract::Trace) -> String {
    Tracer::of(trace, Codec::Postcard).shape.to_string()
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Point<T> {
    x: T,
    #[serde(rename = "why")]
    y: T,
    #[serde(skip)]
    cache: u8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Command {
    Stop,
    Go(u8),
    Move(u8, Option<Box<Command>>),
    Turn { by: f32, then: Vec<Command> },
}

#[test]
fn composites_are_told_with_the_names_of_serde() {
    assert_eq!(shape::<(u8, Vec<Option<char>>)>(), "(u8, [Option<char>])");
    assert_eq!(shape::<Point<i64>>(), "Point { x: i64, why: i64 }");
    assert_eq!(shape::<BTreeMap<String, [bool; 3]>>(), "{str: [bool; 3]}");
    assert_eq!(shape::<Result<u128, ()>>(), "Result [Ok(u128) | Err(())]");
    assert_eq!(shape::<Duration>(), "Duration { secs: u64, nanos: u32 }");
}

#[test]
fn two_types_of_one_name_stay_apart() {
    let both = shape::<(Point<u8>, Point<String>)>();
    assert_eq!(both, "(Point { x: u8, why: u8 }, Point { x: str, why: str })");
}

#[test]
fn all_variants_are_seen_and_recursion_ends() {
    let command = "Command [Stop | Go(u8) | Move(u8, Option<Command>) \
                   | Turn { by: f32, then: [Command] }]";
    assert_eq!(shape::<Command>(), command);
    assert_eq!(readable_shape::<Command>(), command);
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Even {
    Zero,
    After(Odd),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Odd {
    before: Box<Even>,
    kind: Kind3,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Kind3 {
    A(Option<Leaf3>),
    B,
    C(HashMap<String, Even>),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Leaf3 {
    Left(u8),
    Right(u16),
    Both(u8, u16),
}

#[test]
fn variants_deep_inside_recursive_types_are_seen() {
    assert_eq!(
        shape::<Even>(),
        "Even [Zero | After(Odd { before: Even, kind: Kind3 [A(Option<Leaf3 [Left(u8) | \
         Right(u16) | Both(u8, u16)]>) | B | C({str: Even})] })]"
    );
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Term {
    Not(Box<Term>),
    And(Box<Term>, Box<Term>),
    Variable(u32),
}

#[test]
fn an_enum_whose_first_variants_recurse_is_traced() {
    assert_eq!(shape::<Term>(), "Term [Not(Term) | And(Term, Term) | Variable(u32)]");
}

#[test]
fn types_that_do_not_take_any_value_are_traced() {
    assert_eq!(shape::<(NonZeroU32, u8)>(), "(u32, u8)");
    assert_eq!(
        shape::<Vec<SystemTime>>(),
        "[SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }]"
    );
}

#[test]
fn people_and_programs_see_different_shapes() {
    assert_eq!(shape::<IpAddr>(), "IpAddr [V4([u8; 4]) | V6([u8; 16])]");
    assert_eq!(readable_shape::<(IpAddr, u8, SocketAddr)>(), "(str, u8, str)");
}

/// A type that accepts only a text that the samples do not have.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Picky;

impl TryFrom<String> for Picky {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text == "the one and only" { Ok(Self) } else { Err("not the one and only") }
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Around {
    before: u8,
    maybe: Option<Picky>,
    list: Vec<Picky>,
    after: u8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Choice {
    Picky(Picky, u8),
    Easy(u16),
}

#[test]
fn what_takes_no_sample_is_done_without_where_that_is_possible() {
    let around = "Around { before: u8, maybe: Option<str>, list: [str], after: u8 }";
    assert_eq!(shape::<Around>(), around);
    assert_eq!(shape::<(Choice, u8)>(), "(Choice [Picky(str, ?) | Easy(u16)], u8)");
}

#[test]
fn what_is_out_of_reach_is_said() {
    assert_eq!(
        shape::<(u8, Picky, u16)>(),
        "(u8, str, ?) (not traced to its end: not the one and only)"
    );
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its shape matters")]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[test]
fn what_asks_for_anything_is_opaque() {
    for text in [shape::<Untagged>(), shape::<IgnoredAny>()] {
        assert!(text.starts_with("? (not traced to its end"), "{text}");
    }
    assert_eq!(readable_shape::<(Untagged, u8)>(), "(?, u8)");
    assert!(readable_shape::<Flat>().starts_with("{?: ?}"));
}

/// A type that requires names and reads them by hand.
struct NamedOnly;

impl<'de> Deserialize<'de> for NamedOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = NamedOnly;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("named fields")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedOnly, A::Error> {
                match map.next_entry::<String, u8>()? {
                    Some((name, _)) if name == "a" => Ok(NamedOnly),
                    _ => Err(A::Error::missing_field("a")),
                }
            }
        }
        deserializer.deserialize_struct("NamedOnly", &["a"], ByName)
    }
}

#[test]
fn a_type_that_insists_on_names_is_traced_where_there_are_names() {
    assert_eq!(readable_shape::<NamedOnly>(), "NamedOnly { a: u8 }");
    assert!(shape::<NamedOnly>().contains("invalid type: sequence, expected named fields"));
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Aliased {
    #[serde(alias = "old")]
    new: u8,
    other: u16,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum AliasedVariants {
    #[serde(alias = "Old")]
    New(u8),
    Other,
}

#[test]
fn aliases_hide_names_but_no_parts() {
    assert_eq!(shape::<Aliased>(), "Aliased { #0: u8, #1: u16 }");
    assert_eq!(shape::<AliasedVariants>(), "AliasedVariants [#0(u8) | #1]");
}

/// A type that panics instead of refusing.
struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?;
        std::panic::resume_unwind(Box::new("not even a refusal"))
    }
}

#[test]
fn a_panic_is_not_passed_on() {
    assert_eq!(shape::<Panics>(), "u8 (not traced to its end: `Panics` panics)");
    let around = shape::<(u8, Panics)>();
    assert!(around.ends_with("(not traced to its end: `(u8, Panics)` panics)"), "{around}");
}

/// A type with more parts than the bounds allow.
type Wide<T> = [[[[T; 32]; 32]; 32]; 32];

#[test]
fn effort_is_bounded() {
    let text = shape::<Vec<Box<Wide<()>>>>();
    assert!(text.ends_with("(not traced to its end: it has too many parts)"), "{text}");
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Endless(Box<Endless>);

#[test]
fn a_type_without_values_is_said_to_be_one() {
    assert!(shape::<Endless>().starts_with("Endless(Endless) (not traced"));
}

#[test]
fn arguments_of_the_fixed_kinds_have_their_shapes() {
    assert_eq!(reported(trace_str), "str");
    assert_eq!(reported(trace_path), "str");
    assert_eq!(reported(trace_raw::<f64>), "raw [f64]");
    assert_eq!(reported(trace_raw::<[u16; 4]>), "raw [[u16; 4]]");
    assert_eq!(reported(trace::<Vec<i8>>), "raw [i8]");
    assert_eq!(reported(trace::<Vec<bool>>), "[bool]");
    assert_eq!(reported(trace::<Option<Vec<i8>>>), "Option<[i8]>");
}

#[derive(Serialize, Deserialize)]
struct Bytes(#[serde(with = "as_bytes")] Vec<u8>);

mod as_bytes {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Whole;
        impl serde::de::Visitor<'_> for Whole {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        d.deserialize_byte_buf(Whole)
    }
}

#[test]
fn two_shapes_of_one_type_stay_apart() {
    assert_eq!(shape::<(Bytes, Vec<u8>)>(), "(Bytes(bytes), [u8])");
}
