//! Traces of internally tagged enums, whose errors tell their forms.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::shape_of;

/// Returns the shape as text, in the human-readable form, and how many values were made.
fn traced<T: DeserializeOwned>() -> (String, usize) {
    let mut made = 0;
    let shape = shape_of::<T>(true, |_| made += 1);
    (shape.to_string(), made)
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Job {
    name: String,
    limits: Limits,
    nice: i8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Limits {
    memory: u64,
    nice: i8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum How {
    #[serde(rename = "at-once")]
    Now,
    Later {
        seconds: u32,
    },
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[allow(dead_code, reason = "only its shape matters")]
enum Op {
    Stop,
    RunAll(Job),
    KillOne {
        pid: u32,
        how: How,
        signals: Vec<i16>,
        pair: (u8, u8),
        by: Option<String>,
        letter: char,
    },
    Nested {
        inner: Box<Op>,
        force: bool,
    },
    All(BTreeMap<String, u8>),
    Wide {
        fee: u128,
        after: u8,
    },
}

const OP: &str = "Op by `op` [stop | run-all { name: str, limits: ?, nice: i8 } | kill-one { pid: u32, how: ?, \
                  signals: ?, pair: ?, letter: char } | nested { inner: ?, force: bool } | all | wide { fee: u128 \
                  }]";

#[test]
fn the_variants_and_fields_of_a_tagged_enum_are_seen() {
    let (text, made) = traced::<Op>();
    assert_eq!(text, OP);
    assert_eq!(made, 6, "one of each variant that serde can read, and at last the first one again");
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Around {
    before: u8,
    ops: Vec<Op>,
    other: Other,
    after: Option<Other>,
}

#[derive(Deserialize)]
#[serde(tag = "op")]
#[allow(dead_code, reason = "only its shape matters")]
enum Other {
    Mail { to: Mail },
    Number { number: i32 },
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Mail;

impl TryFrom<String> for Mail {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.contains('@') { Ok(Self) } else { Err("it is no address of mail") }
    }
}

#[test]
fn what_is_around_a_tagged_enum_is_seen_too() {
    let (text, made) = traced::<Around>();
    let other = "Other by `op` [Mail { to: str } | Number { number: i32 }]";
    assert_eq!(
        text,
        format!("Around {{ before: u8, ops: [{OP}], other: {other}, after: Option<{other}> }}")
    );
    assert!(made > 0);
}

#[derive(Deserialize)]
#[serde(tag = "op")]
#[allow(dead_code, reason = "only its shape matters")]
enum Forgiving {
    Stop,
    #[serde(other)]
    Unknown,
}

#[test]
fn an_enum_that_takes_any_tag_is_made_and_not_compared() {
    let (text, made) = traced::<(Forgiving, u8)>();
    assert_eq!(text, "(Forgiving by `op` [], u8)");
    assert!(made > 0);
}

/// A type that takes nothing.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hopeless;

impl TryFrom<String> for Hopeless {
    type Error = &'static str;

    fn try_from(_: String) -> Result<Self, &'static str> {
        Err("no")
    }
}

#[derive(Deserialize)]
#[serde(tag = "t")]
#[allow(dead_code, reason = "only its shape matters")]
enum Never {
    Only { count: u16, never: Hopeless, unreached: u8 },
}

#[test]
fn a_tagged_enum_of_which_no_value_is_made_stays_known_as_far_as_it_goes() {
    let (text, made) = traced::<(Never, u8)>();
    let shown = "(Never by `t` [Only { count: u16, never: str }], ?)";
    assert!(text.starts_with(shown), "{text}");
    assert_eq!(made, 0);
}
