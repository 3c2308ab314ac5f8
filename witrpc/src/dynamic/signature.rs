//! A contract as Rust: a trait, and the types that it names.
//!
//! A peer sent the names, so they are cut and escaped, and the text is bounded.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::contract::shape::{
    Content, Field, Leaf, Part, Shape, ShapeKind, TypeIndex, TypeShape, Variant,
};
use crate::contract::text::{Shown, label};
use crate::contract::{ArgumentShape, EventSignature, Signature};

use super::description::ServiceDescription;

/// The most parts of types that are written out.
const MOST_PARTS: usize = 20_000;

/// The deepest nesting of types within a line.
const DEEPEST: u32 = 32;

/// Writes signatures, and gathers the types that they name.
pub struct Signatures<'d> {
    of: &'d ServiceDescription,
    /// The definitions that are written, in order.
    types: Vec<String>,
    /// Those that are already among them.
    known: BTreeSet<(usize, TypeIndex)>,
    left: usize,
}

impl<'d> Signatures<'d> {
    pub fn new(of: &'d ServiceDescription) -> Self {
        Self { of, types: Vec::new(), known: BTreeSet::new(), left: MOST_PARTS }
    }

    /// Returns the whole service.
    pub fn whole(mut self) -> String {
        let mut text = docs(&self.of.notes.docs, "");
        let _ = writeln!(text, "trait {} {{", Shown(&self.of.service));
        let of = self.of;
        for (number, method) in of.contract.methods.iter().enumerate() {
            let method = self.method(number, method);
            let gap = if number == 0 { "" } else { "\n" };
            let _ = write!(text, "{gap}{method}");
        }
        for (number, event) in of.contract.events.iter().enumerate() {
            let event = self.event(number, event);
            let gap = if number == 0 && of.contract.methods.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{gap}{event}");
        }
        text.push_str("}\n");
        self.with_types(text)
    }

    /// Returns one method or event.
    pub fn of_member(mut self, member: &str) -> Option<String> {
        let of = self.of;
        let methods = &of.contract.methods;
        if let Some(number) = methods.iter().position(|method| method.name == member) {
            let text = self.method(number, &methods[number]);
            return Some(self.with_types(text));
        }
        let events = &of.contract.events;
        let number = events.iter().position(|event| event.name == member)?;
        let text = self.event(number, &events[number]);
        Some(self.with_types(text))
    }

    fn with_types(self, mut text: String) -> String {
        let mut written = BTreeSet::new();
        for definition in self.types.into_iter().filter(|it| written.insert(it.clone())) {
            text.push('\n');
            text.push_str(&definition);
        }
        text
    }

    fn method(&mut self, number: usize, method: &Signature) -> String {
        let notes = self.of.notes.methods.get(number).cloned().unwrap_or_default();
        let mut text = docs(&notes.docs, "    ");
        if notes.idempotent {
            text.push_str("    #[wit(idempotent)]\n");
        }
        let asynchronous = if notes.is_async { "async " } else { "" };
        let _ = write!(text, "    {asynchronous}fn {}(&self", Shown(&method.name));
        self.arguments(&method.arguments, notes.is_async, &mut text);
        text.push(')');
        let result = self.root(&method.result);
        let result = if method.streams { stream(&result, notes.is_async) } else { result };
        match &method.error {
            Some(error) => {
                let error = self.root(error);
                let _ = write!(text, " -> Result<{result}, {error}>");
            }
            None if result == "()" => {}
            None => {
                let _ = write!(text, " -> {result}");
            }
        }
        text.push_str(";\n");
        text
    }

    fn event(&mut self, number: usize, event: &EventSignature) -> String {
        let notes = self.of.notes.events.get(number).cloned().unwrap_or_default();
        let mut text = docs(&notes.docs, "    ");
        let overflow = match &*notes.overflow {
            "" | "oldest" => String::new(),
            other => format!(", overflow = \"{}\"", Shown(other)),
        };
        let _ = write!(text, "    #[wit(event{overflow})]\n    fn {}(&self", Shown(&event.name));
        self.arguments(&event.arguments, false, &mut text);
        text.push_str(");\n");
        text
    }

    fn arguments(&mut self, arguments: &[ArgumentShape], is_async: bool, text: &mut String) {
        for argument in arguments {
            let shape = self.root(&argument.shape);
            let shape = if argument.streams { stream(&shape, is_async) } else { shape };
            let _ = write!(text, ", {}: {shape}", Shown(&argument.name));
        }
    }

    fn root(&mut self, shape: &Shape) -> String {
        self.part(shape, &shape.root, 0)
    }

    fn part(&mut self, shape: &Shape, part: &Part, depth: u32) -> String {
        if self.left == 0 || depth > DEEPEST {
            return "…".to_owned();
        }
        self.left -= 1;
        match part {
            Part::Leaf(Leaf::Str) => "String".to_owned(),
            Part::Leaf(Leaf::Bytes) => "Bytes".to_owned(),
            Part::Leaf(leaf) => leaf.to_string(),
            Part::Opaque(_) => "_".to_owned(),
            Part::Type(index) => self.type_at(shape, *index, depth + 1),
        }
    }

    fn type_at(&mut self, shape: &Shape, index: TypeIndex, depth: u32) -> String {
        let of = &shape.types[index];
        match &of.kind {
            ShapeKind::Option(part) => format!("Option<{}>", self.part(shape, part, depth)),
            ShapeKind::Sequence(part) => format!("Vec<{}>", self.part(shape, part, depth)),
            ShapeKind::Raw(part) => format!("[{}]", self.part(shape, part, depth)),
            ShapeKind::Map(key, part) => {
                let key = self.part(shape, key, depth);
                format!("Map<{key}, {}>", self.part(shape, part, depth))
            }
            ShapeKind::Tuple(parts) if of.name.is_empty() => match &parts[..] {
                [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|it| it == first) => {
                    format!("[{}; {}]", self.part(shape, first, depth), parts.len())
                }
                [only] => format!("({},)", self.part(shape, only, depth)),
                _ => format!("({})", self.list(shape, parts, depth)),
            },
            ShapeKind::Enum(variants) if of.name == "Result" => match &variants[..] {
                [
                    Variant { content: Content::Newtype(ok), .. },
                    Variant { content: Content::Newtype(error), .. },
                ] => {
                    let ok = self.part(shape, ok, depth);
                    format!("Result<{ok}, {}>", self.part(shape, error, depth))
                }
                _ => self.named(shape, index, of),
            },
            _ => self.named(shape, index, of),
        }
    }

    fn list(&mut self, shape: &Shape, parts: &[Part], depth: u32) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.part(shape, part, depth)).collect();
        parts.join(", ")
    }

    /// Returns the name of a type, and sees to it that its definition is written.
    fn named(&mut self, shape: &Shape, index: TypeIndex, of: &TypeShape) -> String {
        let name = if of.name.is_empty() { "_".to_owned() } else { Shown(&of.name).to_string() };
        // Types of one shape are told apart by their place; a shape stays where it is.
        if self.known.insert((std::ptr::from_ref(shape).addr(), index)) {
            let place = self.types.len();
            self.types.push(String::new());
            self.types[place] = self.definition(shape, &name, &of.kind);
        }
        name
    }

    fn definition(&mut self, shape: &Shape, name: &str, kind: &ShapeKind) -> String {
        match kind {
            ShapeKind::UnitStruct => format!("struct {name};\n"),
            ShapeKind::Newtype(part) => format!("struct {name}({});\n", self.part(shape, part, 0)),
            ShapeKind::Tuple(parts) => format!("struct {name}({});\n", self.list(shape, parts, 0)),
            ShapeKind::Struct(fields) => {
                let mut text = format!("struct {name} {{\n");
                for (number, field) in fields.iter().enumerate() {
                    let _ = writeln!(text, "    {},", self.field(shape, number, field));
                }
                text + "}\n"
            }
            ShapeKind::Enum(variants) | ShapeKind::Tagged(_, variants) => {
                let tag = match kind {
                    ShapeKind::Tagged(tag, _) => format!("#[serde(tag = \"{}\")]\n", Shown(tag)),
                    _ => String::new(),
                };
                let mut text = format!("{tag}enum {name} {{\n");
                for (number, variant) in variants.iter().enumerate() {
                    let label = label(variant.name.as_ref(), number);
                    let content = self.content(shape, &variant.content);
                    let _ = writeln!(text, "    {label}{content},");
                }
                text + "}\n"
            }
            ShapeKind::Option(_)
            | ShapeKind::Sequence(_)
            | ShapeKind::Raw(_)
            | ShapeKind::Map(..) => String::new(),
        }
    }

    fn content(&mut self, shape: &Shape, content: &Content) -> String {
        match content {
            Content::Unit => String::new(),
            Content::Newtype(part) => format!("({})", self.part(shape, part, 0)),
            Content::Tuple(parts) => format!("({})", self.list(shape, parts, 0)),
            Content::Struct(fields) => {
                let fields = fields.iter().enumerate();
                let fields: Vec<_> = fields.map(|(n, field)| self.field(shape, n, field)).collect();
                format!(" {{ {} }}", fields.join(", "))
            }
            Content::Opaque => "(_)".to_owned(),
        }
    }

    fn field(&mut self, shape: &Shape, number: usize, field: &Field) -> String {
        let label = label(field.name.as_ref(), number);
        format!("{label}: {}", self.part(shape, &field.part, 0))
    }
}

fn stream(item: &str, is_async: bool) -> String {
    let of = if is_async { "Stream" } else { "Iterator" };
    format!("impl {of}<Item = {item}>")
}

/// Returns docs as comments, without control characters.
fn docs(text: &str, indent: &str) -> String {
    let lines = text.trim_end().lines().map(|line| {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let line: String = line.chars().filter(|character| !character.is_control()).collect();
        let gap = if line.is_empty() { "" } else { " " };
        format!("{indent}///{gap}{line}\n")
    });
    lines.collect()
}
