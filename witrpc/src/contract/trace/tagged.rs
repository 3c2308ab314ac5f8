//! Values for internally tagged enums, found by what the errors ask for.
//!
//! Serde reads such an enum into a buffer of its own, and its fields out of that. So a trace only sees that
//! the enum takes anything. But the errors name the tag, the variants, the fields that are missing and what a
//! field should have been: "missing field `signal`", "invalid type: floating point, expected u32". One variant
//! is built after the other, by one field a pass. A field begins as a number with a fraction, which hardly any
//! type takes, so that its error tells the type.
//!
//! What is found is incomplete: fields that may be missing are never asked for, and the forms of nested
//! values stay unknown.

use std::collections::HashMap;

use crate::contract::shape::{Content, Field, Leaf, Opaque, Part, ShapeKind, TypeIndex, Variant};

use super::made::MadeValue;
use super::sample::{Sample, SamplePool};

/// The words by which serde's errors tell that a type is an internally tagged enum.
const MARK: &str = "expected internally tagged enum";

/// The most values that are tried for one variant.
const MOST_TRIES: usize = 150;

/// The most levels of a value that is built.
const MOST_LEVELS: usize = 8;

/// The kind of a part of which no more is known.
const UNKNOWN: Part = Part::Opaque(Opaque::AsksForAny);

/// The searches for values of all internally tagged enums of a trace.
#[derive(Default)]
pub struct TaggedSearch {
    enums: HashMap<TypeIndex, TaggedEnum>,
    /// The one of which a value was given out last, and how many parts were being made then.
    asked: Option<(TypeIndex, usize)>,
    /// Whether a value of one whose variants are not all known was given out in this pass.
    goes_on: bool,
}

/// The search for the variants of one enum.
#[derive(Default)]
struct TaggedEnum {
    tag: Option<String>,
    variants: Vec<Variant>,
    /// The number of the variant that is being built.
    next: usize,
    draft: Draft,
    /// The first value that was accepted.
    made: Option<MadeValue>,
    /// Whether it takes a tag that is no variant, so that no error lists the variants.
    takes_others: bool,
}

/// A value that is being built.
#[derive(Default)]
struct Draft {
    value: MadeValue,
    /// The numbers of the entries, from the outside in, that lead to the one that was added last.
    path: Vec<usize>,
    /// What is known of the fields of the variant.
    parts: Vec<Part>,
    /// The field that the last step has added.
    added: Option<String>,
    tries: usize,
    /// How many values the last entry has had.
    attempts: usize,
}

/// Returns the name of the internally tagged enum that an error tells of.
pub fn enum_name(error: &str) -> Option<&str> {
    error.split_once(MARK).map(|(_, name)| name.trim())
}

impl TaggedSearch {
    pub fn begin_pass(&mut self) {
        self.asked = None;
        self.goes_on = false;
    }

    /// Begins the search for an enum.
    pub fn begin(&mut self, of: TypeIndex) {
        let draft = Draft { value: MadeValue::Map(Vec::new()), ..Draft::default() };
        self.enums.insert(of, TaggedEnum { draft, ..TaggedEnum::default() });
    }

    /// Returns the value to give out for an enum while `open` parts are being made.
    pub fn value(&mut self, of: TypeIndex, open: usize) -> Option<MadeValue> {
        let search = self.enums.get(&of)?;
        self.asked = Some((of, open));
        self.goes_on |= !search.is_over();
        if search.is_over() { search.made.clone() } else { Some(search.draft.value.clone()) }
    }

    /// Notes that a part was made, after which `open` parts are being made.
    pub fn made(&mut self, open: usize) {
        let Some((of, _)) = self.asked.take_if(|(_, within)| *within > open) else { return };
        if let Some(search) = self.enums.get_mut(&of).filter(|search| !search.is_over()) {
            search.made.get_or_insert_with(|| search.draft.value.clone());
            search.takes_others = search.variants.is_empty();
            search.settle(false);
        }
    }

    /// Returns whether another pass finds more variants.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Changes the value that was given out last by the error of its type. Returns `false` if it is not the
    /// cause, or if nothing more is known.
    pub fn refine(&mut self, error: &str) -> bool {
        let Some((of, _)) = self.asked else { return false };
        let search = self.enums.get_mut(&of).filter(|search| !search.is_over());
        search.is_some_and(|search| search.refine(error))
    }

    /// Returns what has been found of each enum.
    pub fn kinds(&self) -> impl Iterator<Item = (TypeIndex, ShapeKind)> {
        self.enums.iter().filter_map(|(of, search)| {
            let tag = search.tag.clone()?.into();
            Some((*of, ShapeKind::Tagged(tag, search.variants.clone())))
        })
    }
}

impl TaggedEnum {
    fn is_over(&self) -> bool {
        self.takes_others || (!self.variants.is_empty() && self.next == self.variants.len())
    }

    fn refine(&mut self, error: &str) -> bool {
        let Some(tag) = &self.tag else {
            let Some(tag) = missing_field(error) else { return false };
            self.draft = Draft::of(tag, "");
            self.tag = Some(tag.to_owned());
            return true;
        };
        if self.variants.is_empty() {
            let names = unknown_variant(error);
            self.variants = names.iter().map(|name| variant(name)).collect();
            let Some(first) = names.first() else { return false };
            self.draft = Draft::of(tag, first);
            return true;
        }
        let goes_on = self.draft.refine(error);
        if !goes_on {
            self.settle(true);
        }
        // Those that are left may be made, and one that was made is given out again.
        goes_on || !self.is_over() || self.made.is_some()
    }

    /// Notes what is known of the variant, and begins the next one.
    fn settle(&mut self, has_failed: bool) {
        let draft = std::mem::take(&mut self.draft);
        let fields = draft.fields();
        let Some(variant) = self.variants.get_mut(self.next) else { return };
        variant.content = match fields.is_empty() {
            true if has_failed => Content::Opaque,
            true => Content::Unit,
            false => Content::Struct(fields),
        };
        self.next += 1;
        let next = self.variants.get(self.next).and_then(|variant| variant.name.clone());
        if let (Some(tag), Some(next)) = (&self.tag, next) {
            self.draft = Draft::of(tag, &next);
        }
    }
}

/// Returns a variant of which nothing but the name is known.
fn variant(name: &str) -> Variant {
    Variant { name: Some(name.to_owned().into()), content: Content::Opaque }
}

impl Draft {
    /// Returns a value that is only its tag.
    fn of(tag: &str, variant: &str) -> Self {
        let entries = vec![(tag.to_owned(), MadeValue::Text(variant.to_owned()))];
        Self { value: MadeValue::Map(entries), ..Self::default() }
    }

    /// Returns the fields of the variant. The first entry is the tag.
    fn fields(&self) -> Vec<Field> {
        let MadeValue::Map(entries) = &self.value else { return Vec::new() };
        let names = entries.iter().skip(1).map(|(name, _)| name.clone().into());
        names
            .zip(&self.parts)
            .map(|(name, part)| Field { name: Some(name), part: part.clone() })
            .collect()
    }

    fn refine(&mut self, error: &str) -> bool {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            return false;
        }
        if let Some(name) = missing_field(error) {
            return self.add(name);
        }
        self.added = None;
        if self.path.is_empty() {
            return false;
        }
        if let Some(wide) = wide_number(error) {
            self.note(wide);
            return false;
        }
        let names = unknown_variant(error);
        if let Some(first) = names.first() {
            return self.put(MadeValue::Text((*first).to_owned()));
        }
        let expected = expected(error);
        if let Some(leaf) = leaf(expected) {
            self.note(leaf);
        }
        self.attempts += 1;
        let known = match self.path[..] {
            [field] => self.parts[field - 1].clone(),
            _ => leaf(expected).map_or(UNKNOWN, Part::Leaf),
        };
        match value_for(&known, expected, self.attempts - 1) {
            Some(value) => self.put(value),
            None => false,
        }
    }

    /// Adds a field that is missing: to the value that was added last if that has fields, or else beside it.
    /// If that does not help, it is missing further outside.
    fn add(&mut self, name: &str) -> bool {
        if self.added.as_deref() == Some(name) {
            let Some(added) = self.path.pop() else { return false };
            let Some(entries) = self.value.entries_at(&self.path) else { return false };
            entries.remove(added);
            if self.path.pop().is_none() {
                return false;
            }
        } else if !self.path.is_empty() && self.value.entries_at(&self.path).is_none() {
            self.path.pop();
        }
        // A field of the same name is there already: it is the one outside that is missing.
        while self.value.entries_at(&self.path).is_some_and(|entries| has_field(entries, name)) {
            if self.path.pop().is_none() {
                return false;
            }
        }
        if self.path.len() == MOST_LEVELS {
            return false;
        }
        let Some(entries) = self.value.entries_at(&self.path) else { return false };
        entries.push((name.to_owned(), MadeValue::Decimal(0.5)));
        let last = entries.len() - 1;
        if self.path.is_empty() {
            self.parts.truncate(last - 1);
            self.parts.push(UNKNOWN);
        }
        self.path.push(last);
        self.added = Some(name.to_owned());
        self.attempts = 0;
        true
    }

    /// Notes what a field of the variant is.
    fn note(&mut self, leaf: Leaf) {
        if let [field] = self.path[..] {
            self.parts[field - 1] = Part::Leaf(leaf);
        }
    }

    fn put(&mut self, value: MadeValue) -> bool {
        let Some(place) = self.value.at(&self.path).filter(|place| **place != value) else {
            return false;
        };
        *place = value;
        true
    }
}

fn has_field(entries: &[(String, MadeValue)], name: &str) -> bool {
    entries.iter().any(|(known, _)| known == name)
}

/// Returns the next value to try for a part that should have been what an error says.
fn value_for(part: &Part, expected: &str, attempt: usize) -> Option<MadeValue> {
    let integer = |min, max| match SamplePool::Integer(min, max).get(attempt, &[]) {
        Some(Sample::Integer(integer)) => Some(MadeValue::Integer(integer)),
        _ => None,
    };
    let has = |words: &[&str]| words.iter().any(|word| expected.contains(word));
    match part {
        Part::Leaf(Leaf::Str) => match SamplePool::Text.get(attempt, &[]) {
            Some(Sample::Text(text)) => Some(MadeValue::Text(text)),
            _ => None,
        },
        Part::Leaf(Leaf::Bool) => Some(MadeValue::Bool(attempt > 0)),
        Part::Leaf(Leaf::Char) => Some(MadeValue::Text("a".to_owned())),
        Part::Leaf(Leaf::Unit) => Some(MadeValue::Null),
        Part::Leaf(Leaf::U8 | Leaf::U16 | Leaf::U32 | Leaf::U64) => integer(0, u8::MAX.into()),
        Part::Leaf(_) => integer(i8::MIN.into(), i8::MAX.into()),
        _ if has(&["string or map", "variant identifier"]) => Some(MadeValue::Text(String::new())),
        _ if has(&["sequence", "array", "tuple"]) => {
            let len = expected.split(' ').find_map(|word| word.parse().ok()).unwrap_or(0);
            Some(MadeValue::List(vec![MadeValue::Integer(1); if len > 64 { 0 } else { len }]))
        }
        _ if has(&["map", "struct", "tagged enum"]) => Some(MadeValue::Map(Vec::new())),
        _ => MadeValue::usual().into_iter().nth(attempt),
    }
}

/// Returns the kind of value that an error has expected.
fn leaf(expected: &str) -> Option<Leaf> {
    Some(match expected {
        "a string" | "a borrowed string" => Leaf::Str,
        "a boolean" => Leaf::Bool,
        "a character" => Leaf::Char,
        "unit" => Leaf::Unit,
        "u8" => Leaf::U8,
        "u16" => Leaf::U16,
        "u32" => Leaf::U32,
        "u64" | "usize" => Leaf::U64,
        "i8" => Leaf::I8,
        "i16" => Leaf::I16,
        "i32" => Leaf::I32,
        "i64" | "isize" => Leaf::I64,
        _ => return None,
    })
}

/// Returns the number that an error says serde's buffer does not have.
fn wide_number(error: &str) -> Option<Leaf> {
    match error {
        "u128 is not supported" => Some(Leaf::U128),
        "i128 is not supported" => Some(Leaf::I128),
        _ => None,
    }
}

fn expected(error: &str) -> &str {
    error.split_once(", expected ").map_or("", |(_, expected)| expected)
}

fn missing_field(error: &str) -> Option<&str> {
    error.strip_prefix("missing field `")?.strip_suffix('`')
}

/// Returns the variants that an error lists, because another one came.
fn unknown_variant(error: &str) -> Vec<&str> {
    if !error.starts_with("unknown variant `") {
        return Vec::new();
    }
    expected(error).split('`').skip(1).step_by(2).collect()
}
