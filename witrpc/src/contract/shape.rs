//! The form of a type on the wire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::codec::Codec;

/// The form of one type on the wire, as serde describes it: names, order and kinds, without values.
///
/// Every composite type is in a table once and is referred to by its index. So a type may contain
/// itself, and reading a shape that a peer sent needs no recursion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub root: Part,
    pub types: Vec<TypeShape>,
    /// Why some parts are [`Opaque::NotReached`].
    pub incomplete: Option<String>,
}

/// An index into [`Shape::types`].
pub type TypeIndex = usize;

/// A name: serde's own, or one that a peer sent.
pub type Name = Cow<'static, str>;

/// The form of a value at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A value without parts.
    Leaf(Leaf),
    /// A value with parts.
    Type(TypeIndex),
    /// A value whose form serde does not show.
    Opaque(Opaque),
}

/// The kinds of values without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leaf {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    Unit,
}

/// The reason why the form of a part is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opaque {
    /// The type reads whatever comes: it is untagged, internally tagged, or any value.
    AsksForAny,
    /// The type has flattened fields.
    Flattened,
    /// The type ignores the value.
    Ignores,
    /// The form here depends on the value before it.
    Varies,
    /// The trace did not reach it: [`Shape::incomplete`] says why.
    NotReached,
}

/// A type with parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeShape {
    /// Serde's name; empty for types that have none, such as tuples.
    pub name: Name,
    pub kind: ShapeKind,
}

/// The kinds of types with parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShapeKind {
    Option(Part),
    Sequence(Part),
    /// Elements as they are in memory, with every codec.
    Raw(Part),
    Map(Part, Part),
    Tuple(Vec<Part>),
    UnitStruct,
    Newtype(Part),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// An internally tagged enum, with the name of its tag. What is known of it is not all: its errors tell
    /// what a trace cannot see.
    Tagged(Name, Vec<Variant>),
}

/// A field of a struct or a struct variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// `None` if aliases hide the field's own name.
    pub name: Option<Name>,
    pub part: Part,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// `None` if aliases hide the variant's own name.
    pub name: Option<Name>,
    pub content: Content,
}

/// The content of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    Unit,
    Newtype(Part),
    Tuple(Vec<Part>),
    Struct(Vec<Field>),
    /// The trace could not make this variant.
    Opaque,
}

impl ShapeKind {
    /// Returns the parts, in order.
    pub fn parts(&self) -> Vec<&Part> {
        match self {
            ShapeKind::Option(part)
            | ShapeKind::Sequence(part)
            | ShapeKind::Raw(part)
            | ShapeKind::Newtype(part) => {
                vec![part]
            }
            ShapeKind::Map(key, value) => vec![key, value],
            ShapeKind::Tuple(parts) => parts.iter().collect(),
            ShapeKind::UnitStruct => Vec::new(),
            ShapeKind::Struct(fields) => fields.iter().map(|field| &field.part).collect(),
            ShapeKind::Enum(variants) | ShapeKind::Tagged(_, variants) => {
                variants.iter().flat_map(|variant| variant.content.parts()).collect()
            }
        }
    }
}

impl Content {
    /// Returns the parts, in order.
    pub fn parts(&self) -> Vec<&Part> {
        match self {
            Content::Unit | Content::Opaque => Vec::new(),
            Content::Newtype(part) => vec![part],
            Content::Tuple(parts) => parts.iter().collect(),
            Content::Struct(fields) => fields.iter().map(|field| &field.part).collect(),
        }
    }
}

impl Shape {
    /// Returns a shape that is only `root`.
    pub fn of(root: Part) -> Self {
        Self { root, types: Vec::new(), incomplete: None }
    }

    /// Returns whether a part is unknown that the bytes of `codec` do not describe either. Such a part
    /// may be read as a wrong value.
    pub fn is_unverified(&self, codec: Codec) -> bool {
        let is_raw = matches!(self.root,
            Part::Type(index) if matches!(self.types[index].kind, ShapeKind::Raw(_)));
        if codec.describes_itself() && !is_raw {
            return false;
        }
        let unknown =
            |part: &Part| matches!(part, Part::Opaque(Opaque::NotReached | Opaque::Varies));
        let unmade = |kind: &ShapeKind| {
            matches!(kind, ShapeKind::Enum(variants)
            if variants.iter().any(|variant| variant.content == Content::Opaque))
        };
        unknown(&self.root)
            || self
                .types
                .iter()
                .any(|of| unmade(&of.kind) || of.kind.parts().into_iter().any(unknown))
    }

    /// Returns the shape of the same elements as they are in memory.
    pub fn into_raw(mut self) -> Self {
        let element = match &self.root {
            Part::Type(index) => match &self.types[*index].kind {
                ShapeKind::Sequence(element) => element.clone(),
                _ => self.root.clone(),
            },
            _ => self.root.clone(),
        };
        self.root = Part::Type(self.types.len());
        self.types.push(TypeShape { name: Name::default(), kind: ShapeKind::Raw(element) });
        self
    }
}
