//! Traces of types that contain themselves, or that have very many values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// Returns the shape as text, in the form that is not human-readable. All of it must be known.
fn known<T: DeserializeOwned>() -> String {
    let shape = shape_of::<T>(false, |_| {});
    assert!(!shape.is_unverified(Codec::Postcard), "{shape}");
    assert_eq!(shape.incomplete, None);
    shape.to_string()
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Detour {
    Stop,
    Again(Box<Detour>),
    Many(Vec<(Detour, u8)>),
    Out(Box<Exit>),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Exit {
    back: Option<Box<Detour>>,
    doors: BTreeMap<Door, (Door, Result<Side, Detour>)>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code, reason = "only its shape matters")]
enum Door {
    Left,
    Right(u8),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum Side {
    In(Box<Detour>),
    By(Box<Side>, Door),
    Off([u8; 2]),
}

#[test]
fn variants_behind_a_detour_are_seen() {
    let detour = "Detour [Stop | Again(Detour) | Many([(Detour, u8)]) | Out(Exit { back: \
                  Option<Detour>, doors: {Door [Left | Right(u8)]: (Door [Left | Right(u8)], \
                  Result [Ok(Side [In(Detour) | By(Side, Door [Left | Right(u8)]) | Off([u8; \
                  2])]) | Err(Detour)])} })]";
    assert_eq!(known::<Detour>(), detour);
    assert!(known::<Vec<Option<Detour>>>().contains(detour));
}

/// A type that accepts no value.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Nothing;

impl TryFrom<String> for Nothing {
    type Error = &'static str;

    fn try_from(_: String) -> Result<Self, &'static str> {
        Err("there is none")
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Shut {
    way: Door,
    lock: (Nothing, Side),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct House {
    shut: Option<Shut>,
    open: Vec<Side>,
}

#[test]
fn a_way_that_is_shut_does_not_hide_another() {
    let shape = shape_of::<House>(false, |_| {});
    let text = shape.to_string();
    assert!(text.contains("way: Door [Left | Right(u8)]"), "{text}");
    assert!(text.contains("open: [Side [In(Detour"), "{text}");
    assert!(text.contains("Off([u8; 2])]"), "{text}");
    assert!(shape.is_unverified(Codec::Postcard), "{text}");
}

/// A type that contains the next type in many ways.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Fan<T> {
    a: Option<T>,
    b: Vec<T>,
    c: BTreeMap<u8, T>,
    d: Option<Box<T>>,
    e: Some<T>,
    f: Option<(T, u8)>,
}

/// A list that is not empty.
#[derive(Deserialize)]
#[serde(try_from = "Vec<T>")]
#[allow(dead_code, reason = "only its shape matters")]
struct Some<T>(Vec<T>);

impl<T> TryFrom<Vec<T>> for Some<T> {
    type Error = &'static str;

    fn try_from(list: Vec<T>) -> Result<Self, &'static str> {
        if list.is_empty() { Err("it is empty") } else { Ok(Self(list)) }
    }
}

#[test]
fn types_with_very_many_values_are_traced() {
    type Four<T> = Fan<Fan<Fan<Fan<T>>>>;
    let text = known::<Four<Four<Side>>>();
    assert!(text.contains("Off([u8; 2])"), "{text}");
}
