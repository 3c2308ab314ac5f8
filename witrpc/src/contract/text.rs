//! Shapes as text of bounded length, because a peer may have sent them.

use std::fmt;
use std::fmt::Write as _;

use super::shape::{
    Content, Field, Leaf, Name, Part, Shape, ShapeKind, TypeIndex, TypeShape, Variant,
};

/// The most parts of a shape that are written out, if it stands alone.
const MOST_PARTS: usize = 1_000;

/// The most parts of a shape that are written out within a sentence.
const MOST_PARTS_IN_SENTENCE: usize = 24;

/// The most characters of a name that are written out.
const MOST_OF_NAME: usize = 64;

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Writer { shape: self, within: Vec::new(), left: MOST_PARTS }.part(f, &self.root)?;
        match &self.incomplete {
            Some(reason) => write!(f, " (not traced to its end: {})", Shown(reason)),
            None => Ok(()),
        }
    }
}

/// A part of a shape, for a sentence.
pub struct Brief<'s>(pub &'s Shape, pub &'s Part);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Brief(shape, part) = *self;
        Writer { shape, within: Vec::new(), left: MOST_PARTS_IN_SENTENCE }.part(f, part)
    }
}

/// The content of a variant, for a sentence.
pub struct BriefContent<'s>(pub &'s Shape, pub &'s Content);

impl fmt::Display for BriefContent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BriefContent(shape, content) = *self;
        if let Content::Unit = content {
            return f.write_str("empty");
        }
        Writer { shape, within: Vec::new(), left: MOST_PARTS_IN_SENTENCE }.content(f, content)
    }
}

/// A name that a peer sent: cut to a length, and without control characters.
pub struct Shown<'n>(pub &'n str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MOST_OF_NAME) {
            if character.is_control() {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        if characters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// Returns the label of a field or variant: its name, or its number if aliases hide the name.
pub fn label(name: Option<&Name>, number: usize) -> String {
    match name {
        Some(name) => Shown(name).to_string(),
        None => format!("#{number}"),
    }
}

/// The state of writing out a shape. A type within itself is written by its name alone.
struct Writer<'s> {
    shape: &'s Shape,
    within: Vec<TypeIndex>,
    /// How many parts may still be written. This also bounds the depth.
    left: usize,
}

impl Writer<'_> {
    fn part(&mut self, f: &mut fmt::Formatter<'_>, part: &Part) -> fmt::Result {
        if self.left == 0 {
            return f.write_str("…");
        }
        self.left -= 1;
        match part {
            Part::Leaf(leaf) => write!(f, "{leaf}"),
            Part::Opaque(_) => f.write_str("?"),
            Part::Type(index) if self.within.contains(index) => {
                let name = &self.shape.types[*index].name;
                if name.is_empty() { f.write_str("…") } else { write!(f, "{}", Shown(name)) }
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
        write!(f, "{}", Shown(&composite.name))?;
        match &composite.kind {
            ShapeKind::Option(part) => self.list(f, "Option<", &[part], ">"),
            ShapeKind::Sequence(part) => self.list(f, "[", &[part], "]"),
            ShapeKind::Raw(part) => self.list(f, "raw [", &[part], "]"),
            ShapeKind::Map(key, value) => {
                f.write_str("{")?;
                self.part(f, key)?;
                f.write_str(": ")?;
                self.part(f, value)?;
                f.write_str("}")
            }
            ShapeKind::Tuple(parts) if composite.name.is_empty() && is_array(parts) => {
                let rest = format!("; {}]", parts.len());
                self.list(f, "[", &[&parts[0]], &rest)
            }
            ShapeKind::Tuple(parts) => self.list(f, "(", &parts.iter().collect::<Vec<_>>(), ")"),
            ShapeKind::UnitStruct => Ok(()),
            ShapeKind::Newtype(part) => self.list(f, "(", &[part], ")"),
            ShapeKind::Struct(fields) => {
                f.write_str(" ")?;
                self.fields(f, fields)
            }
            ShapeKind::Enum(variants) => self.variants(f, variants),
            ShapeKind::Tagged(tag, variants) => {
                write!(f, " by `{}`", Shown(tag))?;
                self.variants(f, variants)
            }
        }
    }

    fn variants(&mut self, f: &mut fmt::Formatter<'_>, variants: &[Variant]) -> fmt::Result {
        f.write_str(" [")?;
        for (index, variant) in variants.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " | " })?;
            if self.left == 0 {
                f.write_str("…")?;
                break;
            }
            self.left -= 1;
            f.write_str(&label(variant.name.as_ref(), index))?;
            f.write_str(if let Content::Struct(_) = variant.content { " " } else { "" })?;
            self.content(f, &variant.content)?;
        }
        f.write_str("]")
    }

    fn content(&mut self, f: &mut fmt::Formatter<'_>, content: &Content) -> fmt::Result {
        match content {
            Content::Unit => Ok(()),
            Content::Newtype(part) => self.list(f, "(", &[part], ")"),
            Content::Tuple(parts) => self.list(f, "(", &parts.iter().collect::<Vec<_>>(), ")"),
            Content::Struct(fields) => self.fields(f, fields),
            Content::Opaque => f.write_str("?"),
        }
    }

    fn fields(&mut self, f: &mut fmt::Formatter<'_>, fields: &[Field]) -> fmt::Result {
        f.write_str("{")?;
        for (index, field) in fields.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            if self.left == 0 {
                f.write_str("…")?;
                break;
            }
            write!(f, "{}: ", label(field.name.as_ref(), index))?;
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
            if self.left == 0 && index + 1 < parts.len() {
                f.write_str(", …")?;
                break;
            }
        }
        f.write_str(close)
    }
}

/// Returns whether a tuple may be an array: serde does not distinguish the two.
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
