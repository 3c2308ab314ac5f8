//! Traces of types that validate the values they are made from.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::contract::trace;

use super::*;

/// Returns the shape as text, in the form that is not human-readable, and whether a value was made.
fn traced<T: DeserializeOwned>() -> (String, bool) {
    let mut made = false;
    let shape = shape_of::<T>(false, |_| made = true);
    (shape.to_string(), made)
}

/// Defines types that are made from a text for which a condition holds.
macro_rules! texts {
    ($($name:ident: $condition:expr;)*) => {$(
        #[derive(Deserialize)]
        #[serde(try_from = "String")]
        struct $name;

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, &'static str> {
                let condition: fn(&str) -> bool = $condition;
                if condition(&text) { Ok(Self) } else { Err("it is not well-formed") }
            }
        }
    )*};
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.chars().all(|c| c.is_ascii_hexdigit())
}

texts! {
    Address: |text| text.strip_prefix("0x").is_some_and(|rest| is_hex(rest, 40));
    TransactionHash: |text| text.strip_prefix("0x").is_some_and(|rest| is_hex(rest, 64));
    Commit: |text| is_hex(text, 40);
    Sha256: |text| is_hex(text, 64);
    Ulid: |text| text.len() == 26 && text.chars().all(|c| c.is_ascii_alphanumeric());
    Uuid: |text| text.len() == 36 && text.split('-').count() == 5;
    Seconds: |text| text.strip_suffix('s').is_some_and(|n| n.parse::<u32>().is_ok());
    Country: |text| text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase());
    Currency: |text| text.len() == 3 && text.chars().all(|c| c.is_ascii_uppercase());
    Branch: |text| text.strip_prefix("refs/heads/").is_some_and(|name| !name.is_empty());
    Url: |text| text.starts_with("https://") && text.len() > 8;
    Ip: |text| text.parse::<std::net::IpAddr>().is_ok();
    Semver: |text| text.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3;
    Moment: |text| text.len() == 20 && text.starts_with("20") && text.ends_with('Z');
    Base64: |text| !text.is_empty() && text.len() % 4 == 0 && !text.contains('-');
    Email: |text| text.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    Mac: |text| text.split(':').count() == 6;
}

#[derive(Deserialize)]
#[serde(try_from = "u16")]
struct Port;

impl TryFrom<u16> for Port {
    type Error = &'static str;

    fn try_from(port: u16) -> Result<Self, &'static str> {
        if port >= 1024 { Ok(Self) } else { Err("a port is 1024 or above") }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u16")]
struct Status;

impl TryFrom<u16> for Status {
    type Error = &'static str;

    fn try_from(code: u16) -> Result<Self, &'static str> {
        if (300..400).contains(&code) { Ok(Self) } else { Err("it is no redirection") }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "f64")]
struct Ratio;

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(ratio: f64) -> Result<Self, &'static str> {
        if ratio > 0.0 && ratio < 1.0 { Ok(Self) } else { Err("it is no ratio") }
    }
}

/// A type that accepts one number, which only its error names.
#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Odd;

impl TryFrom<u32> for Odd {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, &'static str> {
        if number == 77_777 { Ok(Self) } else { Err("the only one is 77777") }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "Vec<u8>")]
struct Five;

impl TryFrom<Vec<u8>> for Five {
    type Error = String;

    fn try_from(list: Vec<u8>) -> Result<Self, String> {
        if list.len() == 5 { Ok(Self) } else { Err(format!("{} elements", list.len())) }
    }
}

/// A type that accepts one number of elements, which only its error names.
#[derive(Deserialize)]
#[serde(try_from = "Vec<u8>")]
struct Eleven;

impl TryFrom<Vec<u8>> for Eleven {
    type Error = &'static str;

    fn try_from(list: Vec<u8>) -> Result<Self, &'static str> {
        if list.len() == 11 { Ok(Self) } else { Err("expected an array of length 11") }
    }
}

#[derive(Deserialize)]
struct Span {
    from: u32,
    to: u32,
}

#[derive(Deserialize)]
#[serde(try_from = "Span")]
struct Later;

impl TryFrom<Span> for Later {
    type Error = &'static str;

    fn try_from(span: Span) -> Result<Self, &'static str> {
        if span.from < span.to { Ok(Self) } else { Err("it ends before it begins") }
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Before<T> {
    checked: T,
    amount: i64,
}

#[test]
fn values_of_the_usual_checked_types_are_found() {
    macro_rules! found {
        ($($ty:ident: $shape:literal),* $(,)?) => {$(
            let shape = concat!("Before { checked: ", $shape, ", amount: i64 }").to_owned();
            assert_eq!(traced::<Before<$ty>>(), (shape, true), stringify!($ty));
        )*};
    }
    found! {
        Address: "str", TransactionHash: "str", Commit: "str", Sha256: "str", Ulid: "str",
        Uuid: "str", Seconds: "str", Country: "str", Currency: "str", Branch: "str", Url: "str",
        Ip: "str", Semver: "str", Moment: "str", Base64: "str", Email: "str", Mac: "str",
        Port: "u16", Status: "u16", Ratio: "f64", Odd: "u32", Five: "[u8]", Eleven: "[u8]",
        Later: "Span { from: u32, to: u32 }",
    }
}

#[test]
fn two_types_may_take_different_values_of_one() {
    let (shape, made) = traced::<(Before<Five>, Before<Eleven>, Vec<u8>, Before<Later>)>();
    assert!(made, "{shape}");
}

texts! {
    NoText: |_| false;
    NoOtherText: |_| false;
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Order {
    from: NoText,
    to: NoOtherText,
    amount: i64,
    lines: Vec<Line>,
    state: OrderState,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Line {
    id: NoText,
    count: u32,
    #[serde(alias = "cost")]
    price: u16,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum OrderState {
    Open,
    Paid { by: NoText, amount: u64, how: How },
    Sent(u8),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
enum How {
    Cash,
    Card(u32),
}

#[test]
fn fields_beside_those_that_take_nothing_are_seen() {
    let order = "Order { from: str, to: str, amount: i64, lines: [Line { #0: str, #1: u32, #2: u16 \
                 }], state: OrderState [Open | Paid { by: str, amount: u64, how: How [Cash | \
                 Card(u32)] } | Sent(u8)] }";
    for text in [traced::<Order>().0, traced::<BTreeMap<u8, Vec<Order>>>().0] {
        assert!(text.contains(order), "{text}");
    }
    let (text, made) = traced::<(u8, Order)>();
    assert_eq!(text, format!("(u8, {order}) (not traced to its end: it is not well-formed)"));
    assert!(!made);
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its shape matters")]
enum Untagged {
    Number(u8),
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
#[allow(dead_code, reason = "only its shape matters")]
enum Tagged {
    Kill { signal: u8 },
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Beside {
    tagged: Tagged,
    untagged: Untagged,
    amount: i64,
}

#[test]
fn fields_beside_those_that_ask_for_anything_are_seen() {
    for (human_readable, tagged) in [(true, "Tagged by `kind` [Kill { signal: u8 }]"), (false, "?")]
    {
        let text = shape_of::<Beside>(human_readable, |_| {}).to_string();
        let expected = format!("Beside {{ tagged: {tagged}, untagged: ?, amount: i64 }}");
        assert!(text.starts_with(&expected), "{text}");
    }
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// A type that panics at every value, and counts how often.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct AlwaysPanics;

impl TryFrom<String> for AlwaysPanics {
    type Error = &'static str;

    fn try_from(_: String) -> Result<Self, &'static str> {
        RUNS.set(RUNS.get() + 1);
        std::panic::resume_unwind(Box::new("no"))
    }
}

#[test]
fn a_type_that_panics_is_left_alone_soon() {
    let (text, _) = traced::<Before<AlwaysPanics>>();
    assert!(text.starts_with("Before { checked: str, amount: i64 } (not traced"), "{text}");
    assert!(RUNS.get() < 20, "{}", RUNS.get());
}

/// A type with many fields that accept no value, on three levels.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape matters")]
struct Hopeless<T> {
    a: NoText,
    b: T,
    c: NoText,
    d: Vec<T>,
    e: NoOtherText,
    f: Option<T>,
    g: NoText,
}

#[test]
fn effort_on_what_takes_nothing_is_bounded() {
    let (text, made) = traced::<Hopeless<Hopeless<Hopeless<Order>>>>();
    assert!(!made);
    assert!(!text.contains('?'), "{text}");
}

#[test]
fn an_endless_list_of_decisions_is_bounded() {
    texts! { Picky: |_| false; }
    #[derive(Deserialize)]
    #[serde(try_from = "[String; 32]")]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Grid;
    impl TryFrom<[String; 32]> for Grid {
        type Error = Picky;
        fn try_from(_: [String; 32]) -> Result<Self, Picky> {
            RUNS.set(RUNS.get() + 1);
            Err(Picky)
        }
    }
    impl std::fmt::Display for Picky {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no")
        }
    }
    let (text, made) = traced::<Before<Grid>>();
    assert!(text.starts_with("Before { checked: [str; 32], amount: i64 } (not traced"), "{text}");
    assert!(!made && RUNS.get() < 1_000, "{}", RUNS.get());
}

texts! {
    Shelf: |text| text.starts_with("shelf~");
}

#[test]
fn a_registered_value_is_tried() {
    assert!(shape_of::<(Shelf, u8)>(false, |_| {}).is_unverified(Codec::Postcard));
    register_sample(&[Some(("shelf~1", 5_u8))]).unwrap();
    assert_eq!(traced::<(Shelf, u8)>(), ("(str, u8)".to_owned(), true));
}

/// A type that refuses to serialize.
struct Refuses;

impl serde::Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("I would rather not"))
    }
}

#[test]
fn what_cannot_be_registered_is_refused_whole() {
    let many: Vec<_> = (9_000_000..9_000_300).collect();
    let long = "~".repeat(1 << 20);
    for (refused, error) in [
        (register_sample(&many), SampleError::TooMany),
        (register_sample(&("before~", &long)), SampleError::TooLong { len: 1 << 20 }),
        (
            register_sample(&("before~", Refuses)),
            SampleError::Serialize { message: "I would rather not".to_owned() },
        ),
    ] {
        assert_eq!(refused, Err(error));
    }
    let registered = register::registered();
    assert!(!registered.texts.contains(&"before~".to_owned()));
    assert!(!registered.integers.contains(&9_000_000));
}

#[test]
fn errors_tell_what_to_try() {
    let hints = hint::read("expected 1..=5 or 0.25, not `red`, of \"blue\"");
    assert_eq!(hints.integers, [1, 2, 0, 5, 6, 4]);
    assert_eq!((hints.decimals, hints.texts), (vec![0.25], vec!["red".into(), "blue".into()]));
    let endless = hint::read(&"`a` 77777777777777777777777777 1 ".repeat(10_000));
    assert_eq!((endless.integers, endless.texts), (vec![1, 2, 0], vec!["a".to_owned()]));
}

#[test]
fn a_type_is_traced_once_a_process() {
    #[derive(serde::Serialize)]
    struct Counts;
    impl<'de> Deserialize<'de> for Counts {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            RUNS.set(RUNS.get() + 1);
            <()>::deserialize(deserializer).map(|()| Self)
        }
    }
    let run = || {
        let before = RUNS.get();
        Tracer::of(trace::<Counts>, Codec::Postcard);
        RUNS.get() - before
    };
    assert!(run() > 0);
    assert_eq!(run(), 0);
}
