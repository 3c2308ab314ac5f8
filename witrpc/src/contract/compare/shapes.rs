//! Compares the shapes of one argument, result or error.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use crate::codec::Codec;
use crate::contract::lenience::Lenience;
use crate::contract::shape::{
    Content, Field, Leaf, Name, Part, Shape, ShapeKind, TypeIndex, Variant,
};
use crate::contract::text::{Brief, BriefContent, Shown, label};

use super::Findings;

/// The depth to which two shapes are compared. Traces nest less deep.
const MAX_DEPTH: usize = 256;

/// One of the two sides: client or server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Here,
    /// The server.
    There,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Here => "here",
            Side::There => "there",
        }
    }
}

/// Two shapes at one place of a method.
pub struct Comparison<'c> {
    method: &'c str,
    place: String,
    ours: &'c Shape,
    theirs: &'c Shape,
    /// How the side that reads takes other fields than its own, if that is known.
    reader: Option<&'c Lenience>,
    /// Whether fields are sent in order, without names.
    ordered: bool,
    /// The pairs of types that have been compared, here and there.
    met: HashSet<(TypeIndex, TypeIndex)>,
    /// The fields and variants that lead to the present place.
    path: Vec<String>,
    depth: usize,
}

impl<'c> Comparison<'c> {
    pub fn new(
        method: &'c str,
        place: String,
        (ours, theirs): (&'c Shape, &'c Shape),
        codec: Codec,
    ) -> Self {
        Self {
            method,
            place,
            ours,
            theirs,
            reader: None,
            ordered: !codec.describes_itself(),
            met: HashSet::new(),
            path: Vec::new(),
            depth: 0,
        }
    }

    /// Adds all differences of values that `writer` sends. `reader` is how the other side takes other
    /// fields than its own, if that is known.
    pub fn run(&mut self, writer: Side, reader: Option<&'c Lenience>, findings: &mut Findings) {
        self.reader = reader;
        let (ours, theirs) = (&self.ours.root, &self.theirs.root);
        Walk { comparison: self, writer, findings }.part(ours, theirs);
    }
}

/// A comparison on its way through the shapes.
struct Walk<'w, 'c> {
    comparison: &'w mut Comparison<'c>,
    writer: Side,
    findings: &'w mut Findings,
}

impl<'c> Walk<'_, 'c> {
    fn part(&mut self, ours: &'c Part, theirs: &'c Part) {
        let (here, there) = (self.comparison.ours, self.comparison.theirs);
        let (ours, theirs) = (bare(here, ours), bare(there, theirs));
        match (ours, theirs) {
            (Part::Opaque(_), _) | (_, Part::Opaque(_)) => {}
            (Part::Leaf(a), Part::Leaf(b)) if a == b => {}
            (Part::Type(a), Part::Type(b)) => self.types(*a, *b),
            _ => self.differ(Brief(here, ours), Brief(there, theirs)),
        }
    }

    fn types(&mut self, a: TypeIndex, b: TypeIndex) {
        if !self.comparison.met.insert((a, b)) {
            return;
        }
        let (here, there) = (Part::Type(a), Part::Type(b));
        let (ours, theirs) = (self.comparison.ours, self.comparison.theirs);
        let reader = match self.writer {
            Side::Here => b,
            Side::There => a,
        };
        let (a, b) = (&ours.types[a].kind, &theirs.types[b].kind);
        if self.comparison.depth == MAX_DEPTH || !self.spend(size(a) + size(b)) {
            return self.add("is too large or nests too deep to be compared".to_owned());
        }
        self.comparison.depth += 1;
        match (a, b) {
            (ShapeKind::Option(a), ShapeKind::Option(b)) => self.part(a, b),
            (ShapeKind::Sequence(a), ShapeKind::Sequence(b)) => self.inside("[]", a, b),
            (ShapeKind::Raw(a), ShapeKind::Raw(b)) => {
                self.comparison.ordered = true;
                self.inside("[]", a, b);
            }
            (ShapeKind::Map(key_a, a), ShapeKind::Map(key_b, b)) => {
                self.inside("{key}", key_a, key_b);
                self.inside("{}", a, b);
            }
            (ShapeKind::Tuple(a), ShapeKind::Tuple(b)) if a.len() == b.len() => self.tuples(a, b),
            (ShapeKind::Struct(a), ShapeKind::Struct(b)) => self.fields((reader, ""), a, b),
            (ShapeKind::Enum(a), ShapeKind::Enum(b)) => self.variants(reader, a, b),
            // One that takes any tag tells neither its tag nor its variants.
            (ShapeKind::Tagged(_, a), ShapeKind::Tagged(_, b)) if a.is_empty() || b.is_empty() => {}
            (ShapeKind::Tagged(tag_a, a), ShapeKind::Tagged(tag_b, b)) if tag_a == tag_b => {
                self.tagged(a, b);
            }
            (ShapeKind::Tagged(tag_a, _), ShapeKind::Tagged(tag_b, _)) => {
                self.differ(
                    format!("tagged by `{}`", Shown(tag_a)),
                    format!("by `{}`", Shown(tag_b)),
                );
            }
            _ => self.differ(Brief(ours, &here), Brief(theirs, &there)),
        }
        self.comparison.depth -= 1;
    }

    fn tuples(&mut self, ours: &'c [Part], theirs: &'c [Part]) {
        for (number, (a, b)) in ours.iter().zip(theirs).enumerate() {
            self.inside(&number.to_string(), a, b);
        }
    }

    /// Compares the fields of a struct, which `reader` names in the shape of the side that reads it:
    /// the type, and the variant if it is one.
    fn fields(&mut self, reader: (TypeIndex, &'c str), ours: &'c [Field], theirs: &'c [Field]) {
        let (names_here, names_there) = (names(ours), names(theirs));
        let (Some(names_here), Some(names_there)) = (names_here, names_there) else {
            return self.numbered_fields(ours, theirs);
        };
        let (here, there) = (places(&names_here), places(&names_there));
        let known = self.findings.list.len();
        for (number, field) in ours.iter().enumerate() {
            match there.get(names_here[number]) {
                Some(place) => self.inside(names_here[number], &field.part, &theirs[*place].part),
                None => self.lone_field(reader, names_here[number], &field.part, Side::Here),
            }
        }
        for (number, field) in theirs.iter().enumerate() {
            if !here.contains_key(names_there[number]) {
                self.lone_field(reader, names_there[number], &field.part, Side::There);
            }
        }
        let is_moved = self.comparison.ordered && names_here != names_there;
        if is_moved && self.findings.list.len() == known {
            self.add("has its fields in another order there".to_owned());
        }
    }

    /// Compares fields some of whose names are unknown: only their order identifies them.
    fn numbered_fields(&mut self, ours: &'c [Field], theirs: &'c [Field]) {
        if ours.len() != theirs.len() {
            return self.differ(count(ours.len(), "field"), count(theirs.len(), "field"));
        }
        for (number, (a, b)) in ours.iter().zip(theirs).enumerate() {
            self.inside(&label(a.name.as_ref(), number), &a.part, &b.part);
        }
    }

    fn lone_field(
        &mut self,
        (within, variant): (TypeIndex, &'c str),
        name: &'c str,
        part: &'c Part,
        side: Side,
    ) {
        let is_taken = match self.comparison.reader {
            None => self.is_option(part, side),
            Some(reader) if side == self.writer => reader.open.contains(&(within, variant.into())),
            Some(reader) => reader.optional.contains(&(within, variant.into(), name.into())),
        };
        if self.comparison.ordered || !is_taken {
            let problem = format!("is only {}", side.word());
            self.within(name, |walk| walk.add(problem));
        }
    }

    fn is_option(&self, part: &Part, side: Side) -> bool {
        let shape = match side {
            Side::Here => self.comparison.ours,
            Side::There => self.comparison.theirs,
        };
        matches!(bare(shape, part),
            Part::Type(index) if matches!(shape.types[*index].kind, ShapeKind::Option(_)))
    }

    /// Compares the variants of an enum, which is `reader` in the shape of the side that reads it.
    fn variants(&mut self, reader: TypeIndex, ours: &'c [Variant], theirs: &'c [Variant]) {
        let (written, read) = match self.writer {
            Side::Here => (ours, theirs),
            Side::There => (theirs, ours),
        };
        let by_name = variant_names(written).zip(variant_names(read));
        if let Some((written_names, read_names)) = &by_name {
            let known = places(read_names);
            for (number, name) in written_names.iter().enumerate() {
                let Some(place) = known.get(*name).copied() else {
                    let problem = format!("is a variant only {}", self.writer.word());
                    self.within(name, |walk| walk.add(problem));
                    continue;
                };
                let both = ((number, &written[number]), (place, &read[place]));
                self.variant((reader, name), name, both);
            }
        } else if written.len() > read.len() {
            self.differ(count(ours.len(), "variant"), count(theirs.len(), "variant"));
        } else {
            for (number, (a, b)) in written.iter().zip(read).enumerate() {
                let both = ((number, a), (number, b));
                self.variant((reader, ""), &label(a.name.as_ref(), number), both);
            }
        }
    }

    /// Compares what is known of the variants of internally tagged enums: the fields that both sides need.
    fn tagged(&mut self, ours: &'c [Variant], theirs: &'c [Variant]) {
        let (written, read) = match self.writer {
            Side::Here => (ours, theirs),
            Side::There => (theirs, ours),
        };
        for (number, variant) in written.iter().enumerate() {
            let name = variant.name.as_deref().unwrap_or_default();
            let known = |name: &Option<Name>| read.iter().find(|read| read.name == *name);
            let Some(same) = known(&variant.name) else {
                // The errors list aliases beside the variants that they are of.
                let beside = [number.checked_sub(1), Some(number + 1)];
                let mut beside = beside.into_iter().flatten().filter_map(|near| written.get(near));
                if beside.any(|near| near.content == variant.content && known(&near.name).is_some())
                {
                    continue;
                }
                let problem = format!("is a variant only {}", self.writer.word());
                self.within(name, |walk| walk.add(problem));
                continue;
            };
            let (ours, theirs) = match self.writer {
                Side::Here => (variant, same),
                Side::There => (same, variant),
            };
            let (Content::Struct(ours), Content::Struct(theirs)) = (&ours.content, &theirs.content)
            else {
                continue;
            };
            for field in ours {
                if let Some(same) = theirs.iter().find(|other| other.name == field.name) {
                    let step = field.name.as_deref().unwrap_or_default();
                    self.within(name, |walk| walk.inside(step, &field.part, &same.part));
                }
            }
        }
    }

    fn variant(
        &mut self,
        reader: (TypeIndex, &'c str),
        name: &str,
        (written, read): ((usize, &'c Variant), (usize, &'c Variant)),
    ) {
        let ((a, ours), (b, theirs)) = match self.writer {
            Side::Here => (written, read),
            Side::There => (read, written),
        };
        self.within(name, |walk| {
            if walk.comparison.ordered && a != b {
                return walk.differ(format!("variant {a}"), format!("variant {b}"));
            }
            walk.contents(reader, &ours.content, &theirs.content);
        });
    }

    fn contents(&mut self, reader: (TypeIndex, &'c str), ours: &'c Content, theirs: &'c Content) {
        match (ours, theirs) {
            (Content::Opaque, _) | (_, Content::Opaque) | (Content::Unit, Content::Unit) => {}
            (Content::Newtype(a), Content::Newtype(b)) => self.part(a, b),
            (Content::Tuple(a), Content::Tuple(b)) if a.len() == b.len() => self.tuples(a, b),
            (Content::Struct(a), Content::Struct(b)) => self.fields(reader, a, b),
            _ => {
                let (here, there) = (self.comparison.ours, self.comparison.theirs);
                self.differ(BriefContent(here, ours), BriefContent(there, theirs));
            }
        }
    }

    fn inside(&mut self, step: &str, ours: &'c Part, theirs: &'c Part) {
        self.within(step, |walk| walk.part(ours, theirs));
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        self.comparison.path.push(Shown(step).to_string());
        look(self);
        self.comparison.path.pop();
    }

    fn differ(&mut self, here: impl Display, there: impl Display) {
        self.add(format!("is {here} here and {there} there"));
    }

    fn add(&mut self, problem: String) {
        let Comparison { method, place, path, .. } = &*self.comparison;
        let place = match path.as_slice() {
            [] => place.clone(),
            path => format!("{place}: `{}`", path.join(".")),
        };
        self.findings.add(method, place, problem);
    }

    /// Takes `steps` of the steps that are left. Returns whether there were enough.
    fn spend(&mut self, steps: usize) -> bool {
        let left = self.findings.steps_left.checked_sub(steps);
        self.findings.steps_left = left.unwrap_or(0);
        left.is_some()
    }
}

/// Returns a part without its newtypes, which do not show on the wire.
fn bare<'s>(shape: &'s Shape, mut part: &'s Part) -> &'s Part {
    // A newtype may contain itself.
    for _ in 0..=shape.types.len().min(MAX_DEPTH) {
        let Part::Type(index) = part else { return part };
        match &shape.types[*index].kind {
            ShapeKind::Newtype(inner) => part = inner,
            ShapeKind::UnitStruct => return &Part::Leaf(Leaf::Unit),
            _ => return part,
        }
    }
    part
}

/// Returns how many parts a type has itself.
fn size(kind: &ShapeKind) -> usize {
    match kind {
        ShapeKind::Enum(variants) | ShapeKind::Tagged(_, variants) => {
            variants.len() + kind.parts().len()
        }
        _ => 1 + kind.parts().len(),
    }
}

fn count(number: usize, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("of {number} {of}{plural}")
}

/// Returns the names, if all are known.
fn names(fields: &[Field]) -> Option<Vec<&str>> {
    fields.iter().map(|field| field.name.as_deref()).collect()
}

fn variant_names(variants: &[Variant]) -> Option<Vec<&str>> {
    variants.iter().map(|variant| variant.name.as_deref()).collect()
}

/// Returns the position of each name.
fn places<'n>(names: &[&'n str]) -> HashMap<&'n str, usize> {
    names.iter().enumerate().map(|(place, name)| (*name, place)).collect()
}
