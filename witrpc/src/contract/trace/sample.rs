//! Values to try on types that do not accept every value.

use std::borrow::Cow;

/// Integers: 1 suits `NonZero` and days of a month, 0 suits counts from zero. Then limits, ports,
/// status codes, years and times since 1970.
const INTEGERS: [i128; 24] = [
    1,
    0,
    2,
    4,
    10,
    100,
    8080,
    300,
    200,
    404,
    500,
    1000,
    1024,
    2000,
    4096,
    50,
    7,
    -1,
    65_535,
    30_000,
    1_000_000,
    1_700_000_000,
    1_700_000_000_000,
    1_700_000_000_000_000_000,
];

/// Numbers with a fraction: ratios, then larger and negative numbers.
const DECIMALS: [f64; 10] = [1.0, 0.0, 0.5, 2.0, 4.0, 10.0, 100.0, 1000.0, -1.0, 0.01];

/// The numbers of elements to give a sequence or map.
const LENGTHS: [usize; 18] = [1, 0, 2, 3, 4, 8, 16, 5, 6, 7, 9, 10, 12, 20, 24, 32, 48, 64];

/// The numbers of bytes to give: none, a UUID, an address, a hash; then keys and signatures.
const BYTES: [usize; 16] = [0, 16, 4, 32, 8, 1, 20, 64, 24, 12, 33, 65, 48, 96, 6, 2];

/// The numbers of digits to give hexadecimal texts: hashes, addresses, keys, codes.
const DIGITS: [usize; 11] = [40, 64, 32, 26, 8, 16, 4, 6, 12, 24, 128];

/// Texts that suit the usual types that are sent as strings.
const TEXTS: [&str; 75] = [
    "",
    "a",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "http://localhost/",
    "127.0.0.1",
    "::1",
    "127.0.0.1:1",
    "[::1]:1",
    "127.0.0.0/8",
    "1.0.0",
    "0.5",
    "1970-01-01T00:00:00+00:00[UTC]",
    "UTC",
    "P1D",
    "a@example.org",
    "/",
    "00",
    "15s",
    "1h",
    "PL",
    "USD",
    "en",
    "en-US",
    "A",
    "1",
    "0x0",
    "0x00",
    "a/b",
    "refs/heads/main",
    "2024-01-01T00:00:00Z",
    "2024-01-01",
    "12:00",
    "2024-01-01 00:00:00",
    "Mon, 01 Jan 2024 00:00:00 GMT",
    "PT1S",
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "https://example.org/",
    "localhost",
    "example.org",
    "example.org:80",
    "tcp://127.0.0.1:1",
    "8080",
    "2000",
    "-1",
    "AAAA",
    "YQ==",
    "AA==",
    "text/plain",
    "application/json",
    "^1.0",
    "v1.0.0",
    "1.0",
    "0.0.0.0/0",
    "::/0",
    "00:00:00:00:00:00",
    "#000000",
    "rgb(0, 0, 0)",
    "+14155552671",
    "10MB",
    "1 KiB",
    "50%",
    "* * * * *",
    "Europe/Berlin",
    "true",
    "info",
    "{}",
    "[]",
    "main.rs",
    "a b c d e f",
];

/// The longest text, byte string or sequence that is made by a hint's length.
const LONGEST: usize = 4096;

/// Values to try after the usual ones: those that the program has registered, and those that errors of
/// a type mention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    pub integers: Vec<i128>,
    pub decimals: Vec<f64>,
    pub texts: Vec<String>,
    pub bytes: Vec<Vec<u8>>,
}

impl Samples {
    /// No values.
    pub const NONE: Self =
        Self { integers: Vec::new(), decimals: Vec::new(), texts: Vec::new(), bytes: Vec::new() };
}

/// The values that a place can be given.
#[derive(Clone, Copy, Debug)]
pub enum SamplePool {
    /// This many values, which are all written where they are given out.
    Fixed(usize),
    /// An integer within these bounds.
    Integer(i128, i128),
    Decimal,
    Text,
    Bytes,
    /// A number of elements.
    Length,
}

/// One value of a pool.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    Number(usize),
    Integer(i128),
    Decimal(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl SamplePool {
    /// Returns how many there are, with `more` in addition to the usual ones.
    pub fn len(self, more: &[&Samples]) -> usize {
        match self {
            SamplePool::Fixed(count) => count,
            SamplePool::Integer(min, max) => integers(min, max, more).count(),
            SamplePool::Decimal => decimals(more).count(),
            SamplePool::Text => texts(more).count(),
            SamplePool::Bytes => bytes(more).count(),
            SamplePool::Length => lengths(more).count(),
        }
    }

    /// Returns the sample of that number.
    pub fn get(self, number: usize, more: &[&Samples]) -> Option<Sample> {
        match self {
            SamplePool::Fixed(count) => (number < count).then_some(Sample::Number(number)),
            SamplePool::Integer(min, max) => {
                integers(min, max, more).nth(number).map(Sample::Integer)
            }
            SamplePool::Decimal => decimals(more).nth(number).map(Sample::Decimal),
            SamplePool::Text => texts(more).nth(number).map(|text| Sample::Text(text.into_owned())),
            SamplePool::Bytes => {
                bytes(more).nth(number).map(|bytes| Sample::Bytes(bytes.into_owned()))
            }
            SamplePool::Length => lengths(more).nth(number).map(Sample::Number),
        }
    }
}

fn integers(min: i128, max: i128, more: &[&Samples]) -> impl Iterator<Item = i128> {
    let known = INTEGERS.into_iter().chain(spoken_of(more));
    known.filter(move |number| (min..=max).contains(number))
}

fn decimals(more: &[&Samples]) -> impl Iterator<Item = f64> {
    let told = more.iter().flat_map(|more| more.decimals.iter().copied());
    DECIMALS.into_iter().chain(told).chain(spoken_of(more).map(|number| number as f64))
}

fn texts<'m>(more: &'m [&Samples]) -> impl Iterator<Item = Cow<'m, str>> {
    let told = more.iter().flat_map(|more| more.texts.iter().map(|text| text.as_str().into()));
    let usual = TEXTS.into_iter().map(Cow::Borrowed);
    usual
        .chain(DIGITS.into_iter().flat_map(|digits| {
            [Cow::Owned(format!("0x{:0<digits$}", "")), Cow::Owned(format!("{:0<digits$}", ""))]
        }))
        .chain(told)
        .chain(spoken_of(more).flat_map(|number| measured(number).into_iter().map(Cow::Owned)))
}

/// Returns the texts that a number in an error may mean.
fn measured(number: i128) -> Vec<String> {
    let mut texts = vec![number.to_string()];
    if let Some(len) = length(number).filter(|len| *len > 0) {
        texts.extend([format!("{:0<len$}", ""), format!("{:a<len$}", "")]);
        texts.push(format!("0x{:0<len$}", ""));
    }
    texts
}

fn bytes<'m>(more: &'m [&Samples]) -> impl Iterator<Item = Cow<'m, [u8]>> {
    let usual = BYTES.into_iter().chain(spoken_of(more).filter_map(length));
    let told = more.iter().flat_map(|more| more.bytes.iter().map(|bytes| bytes.as_slice().into()));
    usual.map(|len| Cow::Owned(vec![0; len])).chain(told)
}

fn lengths(more: &[&Samples]) -> impl Iterator<Item = usize> {
    LENGTHS.into_iter().chain(spoken_of(more).filter_map(length))
}

fn spoken_of(more: &[&Samples]) -> impl Iterator<Item = i128> {
    more.iter().flat_map(|more| more.integers.iter().copied())
}

fn length(number: i128) -> Option<usize> {
    usize::try_from(number).ok().filter(|len| *len <= LONGEST)
}
