//! Property tests over all values and all bytes.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use witrpc_transport::Payload;

use super::round_trip::{arrivals, codecs, written};
use super::*;

/// A value with a sample of everything that both codecs return as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Value {
    Nothing,
    Unit(()),
    Flag(bool),
    Narrow(i8, u16),
    Wide { signed: i128, unsigned: u128 },
    Float(f64),
    Half(f32),
    Letter(char),
    Text(String),
    Bytes(Vec<u8>),
    Maybe(Option<Box<Value>>),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
    Pair(Box<(Value, Named)>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Named {
    #[serde(rename = "with space")]
    number: i64,
    inner: Newtype,
    empty: [(); 2],
    triple: (u8, String, Option<u32>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(Vec<Option<i16>>);

fn finite() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn finite_f32() -> impl Strategy<Value = f32> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn named() -> impl Strategy<Value = Named> {
    let triple = (any::<u8>(), any::<String>(), any::<Option<u32>>());
    (any::<i64>(), vec(any::<Option<i16>>(), 0..4), triple).prop_map(|(number, inner, triple)| {
        Named { number, inner: Newtype(inner), empty: [(); 2], triple }
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nothing),
        Just(Value::Unit(())),
        any::<bool>().prop_map(Value::Flag),
        any::<(i8, u16)>().prop_map(|(a, b)| Value::Narrow(a, b)),
        any::<(i128, u128)>().prop_map(|(signed, unsigned)| Value::Wide { signed, unsigned }),
        finite().prop_map(Value::Float),
        finite_f32().prop_map(Value::Half),
        any::<char>().prop_map(Value::Letter),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            option::of(inner.clone().prop_map(Box::new)).prop_map(Value::Maybe),
            vec(inner.clone(), 0..5).prop_map(Value::List),
            btree_map(any::<String>(), inner.clone(), 0..4).prop_map(Value::Table),
            (inner, named()).prop_map(|pair| Value::Pair(Box::new(pair))),
        ]
    })
}

/// Reads from a message everything that a decoder can read; the outcome does not matter.
fn read_all(open: &OwnedBody) {
    let ways: [fn(&mut Decoder<'_>); 9] = [
        |decoder| drop(decoder.value::<Value>("a")),
        |decoder| drop(decoder.value::<u64>("a")),
        |decoder| drop(decoder.str("a")),
        |decoder| drop(decoder.path("a")),
        |decoder| drop(decoder.raw::<u8>("a")),
        |decoder| drop(decoder.raw::<f64>("a")),
        |decoder| drop(decoder.value::<Vec<u8>>("a")),
        |decoder| drop(decoder.value::<Vec<u32>>("a")),
        |decoder| drop(decoder.value::<Vec<()>>("a")),
    ];
    for first in ways {
        for second in ways.iter().step_by(4) {
            let mut decoder = open.decoder();
            first(&mut decoder);
            second(&mut decoder);
            let _ = decoder.finish();
        }
    }
}

proptest! {
    #[test]
    fn every_value_comes_back(value in value(), text: String, bytes: Vec<u8>, words: Vec<i16>) {
        for codec in codecs() {
            let mut encoder = Encoder::new(codec);
            encoder.value("value", &value).unwrap();
            encoder.raw("bytes", &bytes).unwrap();
            encoder.str("text", &text).unwrap();
            encoder.value("words", &words).unwrap();
            encoder.path("path", Path::new(&text)).unwrap();
            let (raw, body) = written(&encoder, 100);
            for payload in arrivals(&body) {
                let open = OwnedBody::new(payload, raw, codec).unwrap();
                let mut decoder = open.decoder();
                prop_assert_eq!(decoder.value::<Value>("value").unwrap(), value.clone());
                prop_assert_eq!(&*decoder.raw::<u8>("bytes").unwrap(), &bytes[..]);
                prop_assert_eq!(&*decoder.str("text").unwrap(), &text[..]);
                prop_assert_eq!(&decoder.value::<Vec<i16>>("words").unwrap(), &words);
                prop_assert_eq!(&*decoder.path("path").unwrap(), Path::new(&text));
                prop_assert_eq!(decoder.finish(), Ok(()));
            }
        }
    }

    #[test]
    fn postcard_encodes_as_postcard_does(value in value()) {
        let mut encoder = Encoder::new(Codec::Postcard);
        encoder.value("value", &value).unwrap();
        let (_, body) = written(&encoder, usize::MAX);
        prop_assert_eq!(body, postcard::to_allocvec(&value).unwrap());
    }

    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>, raw: bool) {
        for codec in codecs() {
            for payload in arrivals(&body) {
                if let Ok(open) = OwnedBody::new(payload, raw, codec) {
                    read_all(&open);
                }
            }
        }
    }

    #[test]
    fn any_sections_are_read_or_refused(
        mut body in vec(any::<u8>(), 0..300),
        lens in vec(0_u32..200, 1..5),
    ) {
        lens.iter().for_each(|len| body.extend(len.to_le_bytes()));
        body.push(lens.len() as u8);
        for codec in codecs() {
            if let Ok(open) = OwnedBody::new(Payload::Whole(body.clone()), true, codec) {
                read_all(&open);
            }
        }
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(
        value in value(),
        bytes: Vec<u8>,
        place: prop::sample::Index,
        damage: u8,
    ) {
        for codec in codecs() {
            let mut encoder = Encoder::new(codec);
            encoder.raw("bytes", &bytes).unwrap();
            encoder.value("value", &value).unwrap();
            let (raw, mut body) = written(&encoder, usize::MAX);
            let place = place.index(body.len());
            body[place] = damage;
            if let Ok(open) = OwnedBody::new(Payload::Whole(body), raw, codec) {
                read_all(&open);
            }
        }
    }
}
