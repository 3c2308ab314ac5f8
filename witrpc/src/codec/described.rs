//! What codecs with names carry, and what hostile bytes of theirs cost.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fault::MAX_DEPTH;
use super::fidelity::{decode, pass};
use super::round_trip::codecs;
use super::*;

/// Checks that a value comes back over every codec that has names.
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: &T) {
    for codec in codecs().filter(|codec| codec.describes_itself()) {
        assert_eq!(pass(value, codec).as_ref(), Ok(value), "{codec}");
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Id(u64);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Side {
    Left,
    Right,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Keyed {
    whole: BTreeMap<u64, String>,
    signed: BTreeMap<i16, u8>,
    wide: BTreeMap<i128, u8>,
    flags: BTreeMap<bool, u8>,
    letters: BTreeMap<char, u8>,
    ids: BTreeMap<Id, u8>,
    sides: BTreeMap<Side, u8>,
    texts: BTreeMap<String, u8>,
}

fn keyed() -> Keyed {
    Keyed {
        whole: BTreeMap::from([(0, String::new()), (u64::MAX, "most".to_owned())]),
        signed: BTreeMap::from([(i16::MIN, 1), (-1, 2), (7, 3)]),
        wide: BTreeMap::from([(i128::MIN, 1), (i128::MAX, 2)]),
        flags: BTreeMap::from([(false, 0), (true, 1)]),
        letters: BTreeMap::from([('1', 1), ('"', 2), ('ü', 3)]),
        ids: BTreeMap::from([(Id(5), 5)]),
        sides: BTreeMap::from([(Side::Left, 1), (Side::Right, 2)]),
        texts: BTreeMap::from([("1".to_owned(), 1), ("true".to_owned(), 2)]),
    }
}

#[test]
fn maps_with_keys_of_every_kind_come_back() {
    comes_back(&keyed());
    comes_back(&BTreeMap::from([(1_u8, BTreeMap::from([(-1_i64, true)]))]));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Windows { by_id: BTreeMap<u64, String>, flags: BTreeMap<bool, i8> },
    Signed { by_id: BTreeMap<i16, Id>, sides: BTreeMap<Side, char> },
    Texts { by_name: BTreeMap<String, u8> },
    At { host: IpAddr, socket: SocketAddr },
    Nothing(Nothing),
    Empty,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    before: u8,
    #[serde(flatten)]
    rest: BTreeMap<u32, Id>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Unit(Nothing),
    Number(u64),
    Float(f32),
    Letter(char),
    Map(BTreeMap<i32, Untagged>),
    Pair(u8, String),
    Named { value: bool },
}

#[test]
fn maps_of_numbers_come_back_from_behind_a_tag_too() {
    let by_id = BTreeMap::from([(1, "a".to_owned()), (u64::MAX, "1".to_owned())]);
    comes_back(&Tagged::Windows { by_id, flags: BTreeMap::from([(false, -1), (true, 1)]) });
    let sides = BTreeMap::from([(Side::Right, '1')]);
    comes_back(&Tagged::Signed { by_id: BTreeMap::from([(-3, Id(3)), (3, Id(4))]), sides });
    comes_back(&Tagged::Texts { by_name: BTreeMap::from([("1".to_owned(), 1)]) });
    comes_back(&Flat { before: 1, rest: BTreeMap::from([(0, Id(0)), (9, Id(9))]) });
    comes_back(&Untagged::Map(BTreeMap::from([(-1, Untagged::Number(1))])));
}

#[test]
fn what_asks_for_anything_comes_back() {
    let host = IpAddr::from([1, 2, 3, 4]);
    comes_back(&Tagged::At { host, socket: "[fe80::1%3]:80".parse().unwrap() });
    comes_back(&Tagged::Nothing(Nothing));
    comes_back(&Tagged::Empty);
    comes_back(&vec![
        Untagged::Unit(Nothing),
        Untagged::Number(u64::MAX),
        Untagged::Float(1.5),
        Untagged::Letter('ü'),
        Untagged::Pair(1, "b".to_owned()),
        Untagged::Named { value: true },
    ]);
}

#[test]
fn messagepack_carries_any_key_and_any_float() {
    let points = HashMap::from([((1_u8, 2_u8), Some(Nothing2)), ((3, 4), None)]);
    assert_eq!(pass(&points, Codec::MessagePack).unwrap_err(), NULL_IN_SOME);
    let points = HashMap::from([((1_u8, 2_u8), vec![Nothing]), ((3, 4), vec![])]);
    assert_eq!(pass(&points, Codec::MessagePack).as_ref(), Ok(&points));
    let number = pass(&(1_u8, f64::NAN), Codec::MessagePack).unwrap().1;
    assert!(number.is_nan());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing2;

const NULL_IN_SOME: &str = "`value`: MessagePack cannot encode it: `{}` is a Some that holds null, \
    and MessagePack writes None as null too, so the reader could not tell the two apart: send None, \
    or a type that writes the inner value as something else";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Pair(Box<Tree>, u8),
    Named { next: Box<Tree> },
    List(Vec<Tree>),
}

fn tree(levels: u32, node: impl Fn(Tree) -> Tree) -> Tree {
    (0..levels).fold(Tree::Leaf, |tree, _| node(tree))
}

#[test]
fn both_sides_of_every_codec_allow_the_same_nesting() {
    for codec in codecs() {
        // A leaf takes a level, and a list two.
        for (most, node) in [
            (MAX_DEPTH - 1, (|tree| Tree::Pair(Box::new(tree), 1)) as fn(Tree) -> Tree),
            (MAX_DEPTH - 1, |tree| Tree::Named { next: Box::new(tree) }),
            (MAX_DEPTH / 2 - 1, |tree| Tree::List(vec![tree])),
        ] {
            let deepest = tree(most, node);
            assert_eq!(pass(&deepest, codec).as_ref(), Ok(&deepest), "{codec}");
            let error = pass(&tree(most + 1, node), codec).unwrap_err();
            assert!(error.contains("cannot encode it: it is nested deeper than 128"), "{error}");
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    End,
    Next(Box<Adjacent>),
    Any(Box<serde_json::Value>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal {
    End,
    Next { tree: Box<Tree>, next: Box<Internal> },
}

#[test]
fn what_is_buffered_behind_a_tag_may_be_as_deep() {
    let deepest = (0..MAX_DEPTH - 2).fold(Adjacent::End, |end, _| Adjacent::Next(Box::new(end)));
    comes_back(&deepest);
    let node = |tree| Tree::Pair(Box::new(tree), 1);
    let end = Internal::Next { tree: Box::new(tree(100, node)), next: Box::new(Internal::End) };
    let deep = (0..20)
        .fold(end, |end, _| Internal::Next { tree: Box::new(Tree::Leaf), next: Box::new(end) });
    comes_back(&deep);
    let value = (0..MAX_DEPTH).fold(serde_json::Value::Null, |value, _| vec![value].into());
    comes_back(&value);
}

/// Bytes that open a list, a map, a variant or a `Some` in each other, without end.
fn bombs() -> Vec<(Codec, Vec<u8>)> {
    let json = ["[", "{\"a\":", "{\"Pair\":[", "{\"next\":", "[[{\"List\":["];
    let json = json.map(|text| (Codec::Json, text.repeat(1 << 17).into_bytes()));
    let pack: [&[u8]; 5] =
        [b"\x91", b"\x81\xa1a", b"\x81\xa4Pair\x92", b"\x81\xa4next", b"\x81\xa4List\x91"];
    let closed = |bytes: &[u8]| {
        let mut bomb = bytes.repeat(1 << 17);
        bomb.extend([0xc0; 1 << 17]);
        (Codec::MessagePack, bomb)
    };
    let postcard = [vec![1; 1 << 20], vec![2; 1 << 20], [3, 1].repeat(1 << 19)];
    let postcard = postcard.map(|bytes| (Codec::Postcard, bytes));
    json.into_iter().chain(pack.map(closed)).chain(postcard).collect()
}

#[test]
fn a_message_of_nothing_but_nesting_is_refused_whatever_is_read() {
    fn refused<T: DeserializeOwned + Debug + 'static>(codec: Codec, bomb: &[u8]) {
        let error = decode::<T>(bomb.to_vec(), false, codec).unwrap_err();
        assert!(error.len() < 500, "{error}");
    }
    for (codec, bomb) in bombs() {
        refused::<Tree>(codec, &bomb);
        refused::<Vec<Tree>>(codec, &bomb);
        refused::<Adjacent>(codec, &bomb);
        if codec.describes_itself() {
            refused::<Untagged>(codec, &bomb);
            refused::<Internal>(codec, &bomb);
            refused::<serde_json::Value>(codec, &bomb);
        }
    }
}

#[test]
fn messagepack_lengths_that_are_claimed_but_not_there_are_refused() {
    fn refused<T: DeserializeOwned + Debug + 'static>(bytes: &[u8]) {
        let error = decode::<T>(bytes.to_vec(), false, Codec::MessagePack).unwrap_err();
        let expected = "`value`: MessagePack cannot decode it: the message ends within it";
        assert_eq!(error, expected);
    }
    let most = [0xff; 4];
    for marker in [0xc6, 0xdb, 0xdd, 0xdf, 0xce] {
        let claim = [&[marker], &most[..]].concat();
        if marker != 0xce {
            refused::<Vec<()>>(&claim);
            refused::<serde_json::Value>(&claim);
            refused::<String>(&[&claim[..], b"more"].concat());
        }
        refused::<Tagged>(&[0x93, marker]);
        refused::<Untagged>(&claim[..3]);
    }
    for nothing in [&b""[..], b"\x91", b"\x82\x01\x02\x03", b"\xa2a", b"\xcb\0\0\0", b"\xc4\x01"] {
        refused::<Untagged>(nothing);
    }
}

#[test]
fn messagepack_of_other_kinds_and_with_more_behind_is_refused() {
    let read = |bytes: &[u8]| decode::<u8>(bytes.to_vec(), false, Codec::MessagePack);
    assert_eq!(read(b"\x07"), Ok(7));
    assert_eq!(read(b"\xcd\0\x07"), Ok(7), "a longer form of the same number");
    let trailing = read(b"\x07\x08").unwrap_err();
    assert!(trailing.contains("1 bytes and 0 raw sections follow"), "{trailing}");
    for bytes in [&b"\xd4\x01\x07"[..], b"\xc7\x01\x01\x07", b"\xc1", b"\xd8"] {
        assert!(read(bytes).unwrap_err().contains("it holds an extension type"));
    }
    for bytes in [&b"\xa17"[..], b"\xcd\x01\x07", b"\xff", b"\xc0", b"\x91\x07", b"\xc3"] {
        read(bytes).unwrap_err();
    }
    // A list that is longer than the tuple, and a variant with more than itself.
    decode::<(u8, u8)>(b"\x93\x01\x02\x03".to_vec(), false, Codec::MessagePack).unwrap_err();
    let two = b"\x82\xa4Leaf\xc0\xa4Leaf\xc0".to_vec();
    decode::<Tree>(two, false, Codec::MessagePack).unwrap_err();
    decode::<String>(b"\xa2\xc3\x28".to_vec(), false, Codec::MessagePack).unwrap_err();
}
