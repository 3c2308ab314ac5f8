//! Checks whether a codec returns every type of a service as it was.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::codec::Codec;

use super::shape::{
    Content, Field, Leaf, Opaque, Part, Shape, ShapeKind, TypeIndex, TypeShape, Variant,
};
use super::text::label;
use super::trace::{Difference, Tracer};

/// The most places that an error lists.
const MOST_PLACES: usize = 3;

/// A type of a method that a codec does not return as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecRefusal {
    /// The method's name on the wire.
    method: &'static str,
    /// Where in the method's signature, and where in the type.
    place: String,
    /// The same, as it reads in every method that has the type.
    within: String,
    problem: Problem,
}

/// The fault of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// A codec with names writes null for the inner and for the outer option alike.
    NothingInOption { inner: &'static str, codec: Codec },
    /// The keys of a JSON object are strings.
    KeyIsNoString { key: String },
    /// Postcard does not describe what comes next.
    AsksForAny,
    /// Postcard has no field names.
    Flattened,
    /// Serde reads the tag by its name.
    AdjacentlyTagged,
    /// The type's `Serialize` and `Deserialize` differ.
    ComesBackDifferent { difference: String },
    /// Serde's buffer for internally tagged enums has no such number.
    WideBehindTag { field: String, leaf: Leaf },
    /// A field may be left out.
    LeftOut { message: String },
    /// What the type reads there is unknown, and the bytes do not describe it.
    Unverified { reason: String },
}

impl CodecRefusal {
    /// Returns the method of the first refusal, and all faults, each once a type.
    pub fn all_of(refusals: &[Self]) -> Option<(&'static str, String)> {
        let mut refused = refusals.iter().filter(|refusal| refusal.unverified().is_none());
        let first = refused.next()?;
        let mut told = vec![first];
        for refusal in refused {
            let same = |other: &&Self| {
                (&other.within, &other.problem) == (&refusal.within, &refusal.problem)
            };
            if !told.iter().any(same) {
                told.push(refusal);
            }
        }
        let others = told[1..].iter().map(|other| format!("; in {}, {other}", other.method));
        Some((first.method, format!("{first}{}", others.collect::<String>())))
    }

    /// Returns why the part is unknown, if that is the fault. A user may allow it.
    fn unverified(&self) -> Option<&str> {
        match &self.problem {
            Problem::Unverified { reason } => Some(reason),
            _ => None,
        }
    }

    /// Returns the first method with parts that could not be verified: the first few of them, and how
    /// many more there are.
    pub fn first_unverified(refusals: &[Self]) -> Option<UnverifiedPart> {
        let unverified = || refusals.iter().filter(|refusal| refusal.unverified().is_some());
        let first = unverified().next()?;
        let here = unverified().filter(|refusal| refusal.method == first.method);
        let places: Vec<_> = here.map(|refusal| refusal.place.as_str()).take(MOST_PLACES).collect();
        let part = match unverified().count() - places.len() {
            0 => places.join(", "),
            more => format!("{} (and {more} more)", places.join(", ")),
        };
        let reason = first.unverified()?.to_owned();
        Some(UnverifiedPart { method: first.method.into(), part, reason })
    }
}

/// A part of a method's types that is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedPart {
    /// The method or event.
    pub method: String,
    /// Where in its signature, and where in the type.
    pub part: String,
    pub reason: String,
}

impl fmt::Display for CodecRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NothingInOption { inner, codec } => write!(
                f,
                "is Option<{inner}>, and {codec} writes null for None and for Some of null"
            ),
            Problem::KeyIsNoString { key } => {
                write!(
                    f,
                    "is a map with keys of type {key}, which a JSON object cannot write as strings"
                )
            }
            Problem::AsksForAny => f.write_str(
                "is untagged, internally tagged or of any type, and postcard does not say what \
                 comes next",
            ),
            Problem::ComesBackDifferent { difference } => write!(
                f,
                "does not come back as it was sent ({difference}): its Serialize and Deserialize \
                 differ, by a skipped variant before others, a field that is skipped one way only, \
                 or the like"
            ),
            Problem::WideBehindTag { field, leaf } => write!(
                f,
                "is internally tagged, and the field `{field}` is a {leaf}, which serde cannot read \
                 behind a tag: use a u64, a string, or an enum without `tag`"
            ),
            Problem::LeftOut { message } => write!(f, "may come without a field: {message}"),
            Problem::Unverified { reason } => write!(f, "could not be verified: {reason}"),
            Problem::AdjacentlyTagged => {
                f.write_str("is adjacently tagged (tag and content), which postcard does not carry")
            }
            Problem::Flattened => {
                f.write_str("has flattened fields, and postcard does not name any")
            }
        }
    }
}

/// Returns the faults in what has been traced at one place of a method.
pub fn problems_of(
    method: &'static str,
    place: &str,
    traced: &Tracer,
    codec: Codec,
) -> Vec<CodecRefusal> {
    let mut found = problems(&traced.shape, codec);
    match traced.difference.clone() {
        Some(Difference::LeftOut(message)) => found.push((None, Problem::LeftOut { message })),
        // A codec that does not carry the type does not return it either.
        Some(Difference::ComesBack(difference)) if found.is_empty() => {
            found.push((None, Problem::ComesBackDifferent { difference }));
        }
        Some(Difference::ComesBack(_)) | None => {}
    }
    let refusals = found.into_iter().map(|(inside, problem)| match inside {
        Some(within) => {
            CodecRefusal { method, place: format!("{place}: {within}"), within, problem }
        }
        None => {
            let within = traced.type_name.to_owned();
            CodecRefusal { method, place: place.to_owned(), within, problem }
        }
    });
    refusals.collect()
}

/// Returns the faults of a shape, and where; `None` is the value itself.
fn problems(shape: &Shape, codec: Codec) -> Vec<(Option<String>, Problem)> {
    let seen = vec![false; shape.types.len()];
    let mut search = ShapeSearch { shape, codec, raw: false, seen, found: vec![] };
    search.part(&shape.root, None);
    search.found
}

/// Returns the fault of an internally tagged enum of which no value can be read.
fn wide_number(variants: &[Variant]) -> Option<Problem> {
    variants.iter().find_map(|variant| {
        let Content::Struct(fields) = &variant.content else { return None };
        fields.iter().find_map(|field| match field.part {
            Part::Leaf(leaf @ (Leaf::U128 | Leaf::I128)) => {
                let (variant, field) = (variant.name.as_ref(), field.name.as_ref());
                let field = format!("{}.{}", label(variant, 0), label(field, 0));
                Some(Problem::WideBehindTag { field, leaf })
            }
            _ => None,
        })
    })
}

struct ShapeSearch<'s> {
    shape: &'s Shape,
    codec: Codec,
    /// Whether it is in memory that is sent as it is, with every codec.
    raw: bool,
    seen: Vec<bool>,
    found: Vec<(Option<String>, Problem)>,
}

impl ShapeSearch<'_> {
    fn part(&mut self, part: &Part, place: Option<&str>) {
        match part {
            Part::Leaf(_) => {}
            Part::Opaque(why) => {
                if let Some(problem) = self.opaque_problem(why) {
                    self.found.push((place.map(str::to_owned), problem));
                }
            }
            Part::Type(index) => {
                if !std::mem::replace(&mut self.seen[*index], true) {
                    self.composite(*index, place);
                }
            }
        }
    }

    fn composite(&mut self, index: TypeIndex, place: Option<&str>) {
        let shape = self.shape;
        let TypeShape { name, kind } = &shape.types[index];
        if let Some(problem) = self.composite_problem(name, kind) {
            self.found.push((place.map(str::to_owned), problem));
            return;
        }
        match kind {
            ShapeKind::Raw(element) => {
                self.raw = true;
                self.part(element, place);
            }
            ShapeKind::Struct(fields) => self.fields(fields, name),
            ShapeKind::Enum(variants) => {
                for (number, variant) in variants.iter().enumerate() {
                    let variant_name = label(variant.name.as_ref(), number);
                    let path = format!("{name}::{variant_name}");
                    match &variant.content {
                        Content::Struct(fields) => self.fields(fields, &path),
                        Content::Opaque => {
                            let place = format!("variant `{variant_name}` of `{name}`");
                            self.part(&Part::Opaque(Opaque::NotReached), Some(&place));
                        }
                        content => self.numbered(&content.parts(), &path),
                    }
                }
            }
            ShapeKind::Tuple(parts) if !name.is_empty() => {
                self.numbered(&parts.iter().collect::<Vec<_>>(), name);
            }
            ShapeKind::Newtype(part) => self.numbered(&[part], name),
            kind => kind.parts().into_iter().for_each(|part| self.part(part, place)),
        }
    }

    fn fields(&mut self, fields: &[Field], within: &str) {
        for (number, field) in fields.iter().enumerate() {
            let name = label(field.name.as_ref(), number);
            self.part(&field.part, Some(&format!("field `{name}` of `{within}`")));
        }
    }

    fn numbered(&mut self, parts: &[&Part], within: &str) {
        for (number, part) in parts.iter().enumerate() {
            self.part(part, Some(&format!("field `{number}` of `{within}`")));
        }
    }

    fn opaque_problem(&self, why: &Opaque) -> Option<Problem> {
        if self.codec.describes_itself() && !self.raw {
            return None;
        }
        Some(match why {
            Opaque::AsksForAny | Opaque::Ignores => Problem::AsksForAny,
            Opaque::Flattened => Problem::Flattened,
            Opaque::Varies => Problem::Unverified {
                reason: "what its Deserialize reads there is not always of one type".to_owned(),
            },
            Opaque::NotReached => Problem::Unverified { reason: self.not_reached() },
        })
    }

    fn not_reached(&self) -> String {
        let reason = self.shape.incomplete.as_deref().unwrap_or("it was not reached");
        format!("its Deserialize, or one before it, takes no sample value ({reason})")
    }

    fn composite_problem(&self, name: &str, kind: &ShapeKind) -> Option<Problem> {
        match kind {
            ShapeKind::Map(Part::Opaque(why @ Opaque::Flattened), _) => self.opaque_problem(why),
            ShapeKind::Tagged(..) if !self.codec.describes_itself() => Some(Problem::AsksForAny),
            ShapeKind::Tagged(_, variants) => wide_number(variants),
            ShapeKind::Struct(fields) if !self.codec.describes_itself() && !self.raw => {
                self.is_adjacently_tagged(name, fields).then_some(Problem::AdjacentlyTagged)
            }
            _ if self.raw || !self.codec.describes_itself() => None,
            ShapeKind::Option(inner) => {
                let codec = self.codec;
                self.null(inner, 0).map(|inner| Problem::NothingInOption { inner, codec })
            }
            ShapeKind::Map(key, _) if self.codec.is_text() && !self.is_key(key, 0) => {
                let key = Shape { root: key.clone(), ..self.shape.clone() }.to_string();
                Some(Problem::KeyIsNoString { key })
            }
            _ => None,
        }
    }

    /// Returns whether serde reads an enum as this struct, of its tag and its content.
    fn is_adjacently_tagged(&self, name: &str, fields: &[Field]) -> bool {
        let [Field { part: Part::Type(tag), .. }, Field { part: Part::Opaque(_), .. }] = fields
        else {
            return false;
        };
        let TypeShape { name: tag_name, kind } = &self.shape.types[*tag];
        tag_name == name
            && matches!(kind, ShapeKind::Enum(variants)
                if variants.iter().all(|variant| variant.content == Content::Unit))
    }

    /// Returns what may be written as null. Newtypes do not show; `depth` stops at those that contain
    /// themselves.
    fn null(&self, part: &Part, depth: usize) -> Option<&'static str> {
        match part {
            Part::Leaf(Leaf::Unit) => Some("()"),
            Part::Type(index) => match &self.shape.types[*index].kind {
                ShapeKind::Option(_) => Some("Option<_>"),
                ShapeKind::UnitStruct => Some("a unit struct"),
                ShapeKind::Newtype(inner) if depth < self.shape.types.len() => {
                    self.null(inner, depth + 1)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns whether JSON writes such a key as a string; `depth` as for [`null`](Self::null).
    fn is_key(&self, key: &Part, depth: usize) -> bool {
        match key {
            // Numbers, too, which it writes in quotes and reads back.
            Part::Leaf(leaf) => !matches!(leaf, Leaf::Bytes | Leaf::Unit),
            // If it turns out to be a key that JSON cannot write, the first call fails.
            Part::Opaque(_) => true,
            Part::Type(index) => match &self.shape.types[*index].kind {
                ShapeKind::Newtype(inner) if depth < self.shape.types.len() => {
                    self.is_key(inner, depth + 1)
                }
                ShapeKind::Enum(variants) => {
                    variants.iter().all(|variant| variant.content == Content::Unit)
                }
                _ => false,
            },
        }
    }
}
