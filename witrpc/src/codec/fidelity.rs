//! Tests: values that a codec would not return as they were are refused with a reason, and hostile bytes
//! cost little.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{SocketAddr, SocketAddrV6};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use witrpc_transport::Payload;

use super::fault::MAX_DEPTH;
use super::round_trip::{codecs, written};
use super::*;

/// Encodes and decodes one value.
pub fn pass<T: Serialize + DeserializeOwned + 'static>(
    value: &T,
    codec: Codec,
) -> Result<T, String> {
    let mut encoder = Encoder::new(codec);
    encoder.value("value", value).map_err(|error| error.to_string())?;
    let (raw, body) = written(&encoder, usize::MAX);
    decode(body, raw, codec)
}

/// Decodes a message that is one value.
pub fn decode<T: DeserializeOwned + 'static>(
    body: Vec<u8>,
    raw: bool,
    codec: Codec,
) -> Result<T, String> {
    let open = OwnedBody::new(Payload::Whole(body), raw, codec).map_err(|e| e.to_string())?;
    open.decoder().whole(|from| from.value("value")).map_err(|error| error.to_string())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sparse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<u8>,
    count: u8,
}

#[test]
fn postcard_refuses_a_field_that_is_left_out() {
    let error = pass(&vec![Sparse { note: None, count: 1 }], Codec::Postcard).unwrap_err();
    assert_eq!(
        error,
        "`value`: postcard cannot encode it: field `note` of `Sparse` is left out by \
         `skip_serializing_if`, and postcard has no field names to tell which: remove the \
         attribute, or use MessagePack or JSON"
    );
    let whole = Sparse { note: Some(1), count: 1 };
    assert_eq!(pass(&whole, Codec::Postcard), Ok(whole));
}

#[cfg(feature = "json")]
#[test]
fn json_takes_a_field_that_is_left_out() {
    let sparse = Sparse { note: None, count: 1 };
    assert_eq!(pass(&sparse, Codec::Json), Ok(sparse));
}

#[cfg(feature = "json")]
#[test]
fn json_refuses_numbers_that_it_cannot_write() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let inside = HashMap::from([("key".to_owned(), (1_u8, number))]);
        for error in [
            pass(&number, Codec::Json).unwrap_err(),
            pass(&Some(number as f32), Codec::Json).unwrap_err(),
            pass(&inside, Codec::Json).unwrap_err(),
        ] {
            assert!(error.contains("a number is NaN or infinite"), "{error}");
        }
        let raw = pass(&vec![number], Codec::Json).unwrap();
        assert_eq!(raw[0].to_bits(), number.to_bits());
    }
}

#[test]
fn wide_integers_come_back() {
    for codec in codecs() {
        for number in [0, 1, i128::MIN, i128::MAX, i128::from(u64::MAX) + 1] {
            assert_eq!(pass(&number, codec), Ok(number));
        }
        assert_eq!(pass(&u128::MAX, codec), Ok(u128::MAX));
    }
}

/// A type that refuses in its own words, in both directions.
#[derive(Debug)]
struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("I would rather stay here"))
    }
}

impl<'de> Deserialize<'de> for Refuses {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?;
        Err(serde::de::Error::custom("I would rather stay there"))
    }
}

#[test]
fn a_types_own_words_are_kept() {
    for codec in codecs() {
        let error = pass(&vec![Some(Refuses)], codec).unwrap_err();
        assert!(error.ends_with("I would rather stay here"), "{error}");
        let mut encoder = Encoder::new(codec);
        let numbers = vec![Some(1_u8)];
        encoder.value("value", &numbers).unwrap();
        let (raw, body) = written(&encoder, usize::MAX);
        let error = decode::<Vec<Option<Refuses>>>(body, raw, codec).unwrap_err();
        assert!(error.contains("I would rather stay there"), "{error}");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
}

fn chain(links: u32) -> Chain {
    (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

#[test]
fn nesting_is_allowed_up_to_its_limit() {
    let deepest = chain(MAX_DEPTH - 1);
    assert_eq!(pass(&deepest, Codec::Postcard), Ok(deepest));
    let error = pass(&chain(MAX_DEPTH), Codec::Postcard).unwrap_err();
    let expected = "`value`: postcard cannot encode it: it is nested deeper than 128 levels, which \
                    no codec allows: send it flat, for instance as a Vec of nodes that name each \
                    other by number";
    assert_eq!(error, expected);
}

#[test]
fn a_message_of_nothing_but_nesting_is_refused() {
    let error = decode::<Chain>(vec![1; 1 << 20], false, Codec::Postcard).unwrap_err();
    let expected = "`value`: postcard cannot decode it: it is nested deeper than 128 levels";
    assert!(error.starts_with(expected), "{error}");
}

#[cfg(feature = "json")]
#[test]
fn a_text_of_nothing_but_brackets_is_refused() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Nest(Vec<Nest>);
    let error = decode::<Nest>(vec![b'['; 1 << 20], false, Codec::Json).unwrap_err();
    assert!(error.contains("nested deeper than 128 levels"), "{error}");
}

/// The length 2⁶³, in postcard's format.
const HUGE: [u8; 10] = [128, 128, 128, 128, 128, 128, 128, 128, 128, 1];

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Hollow {
    #[serde(skip)]
    cache: u64,
}

#[test]
fn lengths_that_are_claimed_but_not_there_are_refused() {
    fn refused<T: DeserializeOwned + std::fmt::Debug + 'static>() -> String {
        decode::<T>(HUGE.to_vec(), false, Codec::Postcard).unwrap_err()
    }
    for error in [refused::<Vec<()>>(), refused::<Vec<Hollow>>(), refused::<Vec<[(); 4]>>()] {
        assert!(error.ends_with("more than 65536 elements that take no bytes"), "{error}");
    }
    for error in [refused::<String>(), refused::<HashMap<u8, u8>>(), refused::<Vec<String>>()] {
        assert!(error.ends_with("the message ends within it"), "{error}");
    }
}

#[test]
fn all_values_of_a_message_share_the_bound_of_elements_without_content() {
    let body = Payload::Whole([0x80, 0x80, 0x04].repeat(3));
    let open = OwnedBody::new(body, false, Codec::Postcard).unwrap();
    let mut decoder = open.decoder();
    assert_eq!(decoder.value::<Vec<()>>("first").map(|units| units.len()), Ok(65_536));
    let error = decoder.value::<Vec<()>>("second").unwrap_err().to_string();
    assert!(error.ends_with("more than 65536 elements that take no bytes"), "{error}");
}

#[test]
fn some_elements_without_content_are_fine() {
    for codec in codecs() {
        assert_eq!(pass(&vec![(); 1000], codec), Ok(vec![(); 1000]));
        assert_eq!(pass(&[vec![[(); 4]; 9], vec![]], codec), Ok([vec![[(); 4]; 9], vec![]]));
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
}

#[test]
fn postcard_says_why_it_cannot_decode_what_asks_for_anything() {
    let error = pass(&Untagged::Number(1), Codec::Postcard).unwrap_err();
    assert!(error.contains("its type asks what comes next"), "{error}");
}

#[test]
fn a_string_is_borrowed_unless_it_must_be_put_together() {
    for codec in codecs() {
        let mut encoder = Encoder::new(codec);
        encoder.str("plain", "plain").unwrap();
        encoder.str("quoted", "\"quoted\"").unwrap();
        let (raw, body) = written(&encoder, usize::MAX);
        let open = OwnedBody::new(Payload::Whole(body), raw, codec).unwrap();
        let mut decoder = open.decoder();
        assert!(matches!(decoder.str("plain"), Ok(Cow::Borrowed("plain"))));
        let quoted = decoder.str("quoted").unwrap();
        assert_eq!(quoted, "\"quoted\"");
        assert_eq!(matches!(quoted, Cow::Borrowed(_)), !codec.is_text());
    }
}

#[cfg(feature = "json")]
#[test]
fn json_values_without_their_line_end_are_refused() {
    assert_eq!(decode::<u8>(b"7\n".to_vec(), false, Codec::Json), Ok(7));
    for body in [&b"7"[..], b"7 8\n", b"", b"7\n\n", b"\n"] {
        decode::<u8>(body.to_vec(), false, Codec::Json).unwrap_err();
    }
}

#[test]
fn the_scope_of_an_address_is_never_lost() {
    let scoped: SocketAddrV6 = "[fe80::1%3]:80".parse().unwrap();
    let whole = SocketAddr::V6(scoped);
    for codec in codecs().filter(|codec| codec.is_human_readable()) {
        assert_eq!(pass(&scoped, codec), Ok(scoped));
        assert_eq!(pass(&vec![(1_u8, whole)], codec), Ok(vec![(1, whole)]));
    }
    for error in [
        pass(&scoped, Codec::Postcard).unwrap_err(),
        pass(&whole, Codec::Postcard).unwrap_err(),
        pass(&HashMap::from([(whole, 1_u8)]), Codec::Postcard).unwrap_err(),
        pass(&Some(vec![Box::new(scoped)]), Codec::Postcard).unwrap_err(),
        pass(&Some(scoped), Codec::Postcard).unwrap_err(),
    ] {
        assert!(
            error.contains("the address [fe80::1%3]:80 has a scope, which postcard"),
            "{error}"
        );
    }
    let plain: SocketAddr = "[fe80::1]:80".parse().unwrap();
    assert_eq!(pass(&plain, Codec::Postcard), Ok(plain));
}

#[cfg(feature = "json")]
mod null_in_some {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::codec::error::{EncodeError, EncodeFault};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Setting {
        Nothing,
        Number(u8),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped<T>(T);

    type Settings = Vec<Option<Wrapped<Setting>>>;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Fault {
        code: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
        all: BTreeMap<String, (u8, Settings)>,
    }

    /// Returns the path of the refused `Some`.
    fn refused<T: Serialize + 'static>(value: &T) -> String {
        match Encoder::new(Codec::Json).value("value", value) {
            Err(EncodeError {
                value: "value",
                fault: EncodeFault::NullInSome { codec: Codec::Json, path },
            }) => path,
            other => panic!("{other:?}"),
        }
    }

    fn fault() -> Fault {
        Fault { code: 1, data: None, all: BTreeMap::new() }
    }

    #[test]
    fn json_refuses_it_wherever_it_stands_and_says_where() {
        assert_eq!(refused(&Some(Value::Null)), "");
        assert_eq!(refused(&Some(Setting::Nothing)), "");
        assert_eq!(refused(&Some(Wrapped(Wrapped(Setting::Nothing)))), "");
        assert_eq!(refused(&vec![Some(Value::Null)]), "[]");
        assert_eq!(refused(&(1, Some(Value::Null))), "()");
        assert_eq!(refused(&Fault { data: Some(Value::Null), ..fault() }), "data");
        let within = vec![None, Some(Wrapped(Setting::Number(1))), Some(Wrapped(Setting::Nothing))];
        let all = BTreeMap::from([("key".to_owned(), (1, within))]);
        assert_eq!(refused(&Fault { all, ..fault() }), "all.{}.().[]");
    }

    #[test]
    fn the_refusal_names_the_place_and_the_rule() {
        let error = pass(&Fault { data: Some(Value::Null), ..fault() }, Codec::Json).unwrap_err();
        assert_eq!(
            error,
            "`value`: JSON cannot encode it: `data` is a Some that holds null, and JSON writes \
             None as null too, so the reader could not tell the two apart: send None, or a type \
             that writes the inner value as something else"
        );
    }

    #[test]
    fn all_else_that_holds_null_comes_back() {
        let deep = serde_json::json!({ "a": [null, { "b": null }] });
        let words = Some("null".to_owned());
        assert_eq!(pass(&words, Codec::Json), Ok(words));
        assert_eq!(pass(&Value::Null, Codec::Json), Ok(Value::Null));
        assert_eq!(pass(&Some(deep.clone()), Codec::Json), Ok(Some(deep.clone())));
        assert_eq!(pass(&None::<Value>, Codec::Json), Ok(None));
        let whole = Fault { data: Some(deep), ..fault() };
        assert_eq!(pass(&whole, Codec::Json), Ok(whole));
        let nested = Some(vec![None::<u8>, Some(1)]);
        assert_eq!(pass(&nested, Codec::Json), Ok(nested));
    }

    #[test]
    fn postcard_tells_the_two_apart() {
        let unit = Some(());
        assert_eq!(pass(&unit, Codec::Postcard), Ok(unit));
        let both = vec![None, Some(None), Some(Some(1_u8))];
        assert_eq!(pass(&both, Codec::Postcard), Ok(both));
    }
}
