//! What a type looks like on the wire.

use std::fmt;

/// The wire shape of one type, as serde tells it: names, order and kinds, no values.
///
/// Every composite type stands once in a table and is referred to by its place, so that a type
/// may contain itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) root: Part,
    pub(crate) types: Vec<TypeShape>,
    /// Why some parts are [`Opaque::NotReached`].
    pub(crate) incomplete: Option<String>,
}

/// A place in [`Shape::types`].
pub(crate) type TypeIndex = usize;

/// What stands at one place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A value without parts.
    Leaf(Leaf),
    /// A value with parts.
    Type(TypeIndex),
    /// Elements as they lie in memory, whatever the codec.
    Raw(Box<Part>),
    /// What serde does not tell.
    Opaque(Opaque),
}

/// The kinds of values without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
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

/// Why a part cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opaque {
    /// The type asks what comes next: untagged, internally tagged, any value.
    AsksForAny,
    /// The type has flattened fields.
    Flattened,
    /// The type ignores what comes.
    Ignores,
    /// What stands here depends on the value before it.
    Varies,
    /// The trace did not get there: [`Shape::incomplete`] says why.
    NotReached,
}

/// A type with parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeShape {
    /// Serde's name; empty for types that have none, such as tuples.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// The kinds of types with parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Option(Part),
    Sequence(Part),
    Map(Part, Part),
    Tuple(Vec<Part>),
    UnitStruct,
    Newtype(Part),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

/// A field of a struct or a struct variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// `None` where aliases hide which name is meant.
    pub(crate) name: Option<&'static str>,
    pub(crate) part: Part,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// `None` where aliases hide which name is meant.
    pub(crate) name: Option<&'static str>,
    pub(crate) content: Content,
}

/// What a variant holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Unit,
    Newtype(Part),
    Tuple(Vec<Part>),
    Struct(Vec<Field>),
    /// The trace could not make this variant.
    Opaque,
}

impl Kind {
    /// The parts, in order.
    pub(crate) fn parts(&self) -> Vec<&Part> {
        match self {
            Kind::Option(part) | Kind::Sequence(part) | Kind::Newtype(part) => vec![part],
            Kind::Map(key, value) => vec![key, value],
            Kind::Tuple(parts) => parts.iter().collect(),
            Kind::UnitStruct => Vec::new(),
            Kind::Struct(fields) => fields.iter().map(|field| &field.part).collect(),
            Kind::Enum(variants) => {
                variants.iter().flat_map(|variant| variant.content.parts()).collect()
            }
        }
    }
}

impl Content {
    /// The parts, in order.
    pub(crate) fn parts(&self) -> Vec<&Part> {
        match self {
            Content::Unit | Content::Opaque => Vec::new(),
            Content::Newtype(part) => vec![part],
            Content::Tuple(parts) => parts.iter().collect(),
            Content::Struct(fields) => fields.iter().map(|field| &field.part).collect(),
        }
    }
}

impl Shape {
    /// A shape that is nothing but `root`.
    pub(crate) fn of(root: Part) -> Self {
        Self { root, types: Vec::new(), incomplete: None }
    }

    /// The same elements, as they lie in memory.
    pub(crate) fn into_raw(self) -> Self {
        let element = match &self.root {
            Part::Type(index) => match &self.types[*index].kind {
                Kind::Sequence(element) => element.clone(),
                _ => self.root.clone(),
            },
            _ => self.root.clone(),
        };
        Self { root: Part::Raw(Box::new(element)), ..self }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Writer { shape: self, within: Vec::new() }.part(f, &self.root)?;
        match &self.incomplete {
            Some(reason) => write!(f, " (not traced to its end: {reason})"),
            None => Ok(()),
        }
    }
}

/// Writes a shape out; a type within itself by its name alone.
struct Writer<'s> {
    shape: &'s Shape,
    within: Vec<TypeIndex>,
}

impl Writer<'_> {
    fn part(&mut self, f: &mut fmt::Formatter<'_>, part: &Part) -> fmt::Result {
        match part {
            Part::Leaf(leaf) => write!(f, "{leaf}"),
            Part::Opaque(_) => f.write_str("?"),
            Part::Raw(element) => {
                f.write_str("raw [")?;
                self.part(f, element)?;
                f.write_str("]")
            }
            Part::Type(index) if self.within.contains(index) => {
                let name = self.shape.types[*index].name;
                f.write_str(if name.is_empty() { "…" } else { name })
            }
            Part::Type(index) => {
                self.within.push(*index);
                self.composite(f, &self.shape.types[*index])?;
                self.within.pop();
                Ok(())
            }
        }
    }

    fn composite(&mut self, f: &mut fmt::Formatter<'_>, composite: &TypeShape) -> fmt::Result {
        let name = composite.name;
        match &composite.kind {
            Kind::Option(part) => self.list(f, "Option<", &[part], ">"),
            Kind::Sequence(part) => self.list(f, "[", &[part], "]"),
            Kind::Map(key, value) => {
                f.write_str("{")?;
                self.part(f, key)?;
                f.write_str(": ")?;
                self.part(f, value)?;
                f.write_str("}")
            }
            Kind::Tuple(parts) if name.is_empty() && is_array(parts) => {
                let rest = format!("; {}]", parts.len());
                self.list(f, "[", &[&parts[0]], &rest)
            }
            Kind::Tuple(parts) => {
                f.write_str(name)?;
                self.list(f, "(", &parts.iter().collect::<Vec<_>>(), ")")
            }
            Kind::UnitStruct => f.write_str(name),
            Kind::Newtype(part) => {
                f.write_str(name)?;
                self.list(f, "(", &[part], ")")
            }
            Kind::Struct(fields) => {
                f.write_str(name)?;
                self.fields(f, fields)
            }
            Kind::Enum(variants) => {
                f.write_str(name)?;
                f.write_str(" [")?;
                for (index, variant) in variants.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " | " })?;
                    self.variant(f, index, variant)?;
                }
                f.write_str("]")
            }
        }
    }

    fn variant(
        &mut self,
        f: &mut fmt::Formatter<'_>,
        index: usize,
        variant: &Variant,
    ) -> fmt::Result {
        match variant.name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "#{index}")?,
        }
        match &variant.content {
            Content::Unit => Ok(()),
            Content::Newtype(part) => self.list(f, "(", &[part], ")"),
            Content::Tuple(parts) => self.list(f, "(", &parts.iter().collect::<Vec<_>>(), ")"),
            Content::Struct(fields) => self.fields(f, fields),
            Content::Opaque => f.write_str("?"),
        }
    }

    fn fields(&mut self, f: &mut fmt::Formatter<'_>, fields: &[Field]) -> fmt::Result {
        f.write_str(" {")?;
        for (index, field) in fields.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            match field.name {
                Some(name) => write!(f, "{name}: ")?,
                None => write!(f, "#{index}: ")?,
            }
            self.part(f, &field.part)?;
        }
        f.write_str(" }")
    }

    fn list(
        &mut self,
        f: &mut fmt::Formatter<'_>,
        open: &str,
        parts: &[&Part],
        close: &str,
    ) -> fmt::Result {
        f.write_str(open)?;
        for (index, part) in parts.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            self.part(f, part)?;
        }
        f.write_str(close)
    }
}

/// Whether a tuple may as well be an array: serde does not tell the two apart.
fn is_array(parts: &[Part]) -> bool {
    parts.len() > 1 && parts.iter().all(|part| *part == parts[0])
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Leaf::Bool => "bool",
            Leaf::I8 => "i8",
            Leaf::I16 => "i16",
            Leaf::I32 => "i32",
            Leaf::I64 => "i64",
            Leaf::I128 => "i128",
            Leaf::U8 => "u8",
            Leaf::U16 => "u16",
            Leaf::U32 => "u32",
            Leaf::U64 => "u64",
            Leaf::U128 => "u128",
            Leaf::F32 => "f32",
            Leaf::F64 => "f64",
            Leaf::Char => "char",
            Leaf::Str => "str",
            Leaf::Bytes => "bytes",
            Leaf::Unit => "()",
        })
    }
}
