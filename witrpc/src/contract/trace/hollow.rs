//! The emptiest values of a type, by its shape.
//!
//! The values of a trace are full: options are filled, and lists have elements. An attribute such as
//! `skip_serializing_if` shows with empty ones only. So each struct and each variant is made once with as
//! little in it as its shape allows, as bytes of postcard, which a shape determines.

use crate::contract::shape::{Content, Leaf, Part, Shape, ShapeKind, TypeIndex, Variant};

/// How many values are made of a type at most.
const MOST_VALUES: usize = 1_000;

/// Returns the emptiest values in which each struct and each variant of a shape occurs.
pub fn values(shape: &Shape) -> Vec<Vec<u8>> {
    let least = Least::of(shape);
    let Part::Type(root) = shape.root else {
        return least.part(&shape.root).into_iter().collect();
    };
    let mut values = Vec::new();
    for (index, around) in least.ways_from(root) {
        for wanted in least.wanted(index) {
            let inside = least.composite(index, &wanted);
            values.extend(inside.and_then(|inside| least.embed(inside, &around)));
        }
    }
    values.truncate(MOST_VALUES);
    values
}

/// What a value of a type is to have in it.
enum Wanted<'b> {
    /// As little as possible.
    Least,
    /// This variant.
    Variant(usize),
    /// The part of this number, as these bytes.
    Part(usize, &'b [u8]),
}

/// A step inwards: a type, and the number of one of its parts.
type StepInwards = (TypeIndex, usize);

/// The emptiest value of each type; `None` for a type that has none without a part of unknown form.
struct Least<'s> {
    shape: &'s Shape,
    values: Vec<Option<Vec<u8>>>,
}

impl<'s> Least<'s> {
    fn of(shape: &'s Shape) -> Self {
        let mut least = Self { shape, values: vec![None; shape.types.len()] };
        // A type that contains itself ends once one of its variants does.
        loop {
            let mut found = false;
            for index in 0..shape.types.len() {
                if least.values[index].is_none() {
                    least.values[index] = least.composite(index, &Wanted::Least);
                    found |= least.values[index].is_some();
                }
            }
            if !found {
                return least;
            }
        }
    }

    fn part(&self, part: &Part) -> Option<Vec<u8>> {
        match part {
            Part::Leaf(leaf) => Some(zero(*leaf).to_vec()),
            Part::Type(index) => self.values[*index].clone(),
            Part::Opaque(_) => None,
        }
    }

    /// Returns the parts one after the other; `first` is the number of the first.
    fn parts<'p>(
        &self,
        parts: impl IntoIterator<Item = &'p Part>,
        first: usize,
        wanted: &Wanted<'_>,
    ) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for (number, part) in parts.into_iter().enumerate() {
            match wanted {
                Wanted::Part(there, inside) if *there == first + number => bytes.extend(*inside),
                _ => bytes.extend(self.part(part)?),
            }
        }
        Some(bytes)
    }

    fn composite(&self, index: TypeIndex, wanted: &Wanted<'_>) -> Option<Vec<u8>> {
        match &self.shape.types[index].kind {
            kind @ (ShapeKind::Option(_) | ShapeKind::Sequence(_) | ShapeKind::Map(..)) => {
                match wanted {
                    Wanted::Part(..) => {
                        let inside = self.parts(kind.parts(), 0, wanted)?;
                        Some([&[1], &inside[..]].concat())
                    }
                    _ => Some(vec![0]),
                }
            }
            ShapeKind::Raw(_) | ShapeKind::Tagged(..) => None,
            ShapeKind::Enum(variants) => self.variant(variants, wanted),
            kind => self.parts(kind.parts(), 0, wanted),
        }
    }

    fn variant(&self, variants: &[Variant], wanted: &Wanted<'_>) -> Option<Vec<u8>> {
        let mut first = 0;
        variants.iter().enumerate().find_map(|(number, variant)| {
            let parts = variant.content.parts();
            let range = first..first + parts.len();
            first = range.end;
            let is_wanted = match wanted {
                Wanted::Least => true,
                Wanted::Variant(there) => *there == number,
                Wanted::Part(there, _) => range.contains(there),
            };
            if !is_wanted || variant.content == Content::Opaque {
                return None;
            }
            let content = self.parts(parts, range.start, wanted)?;
            let number = postcard::to_allocvec(&u32::try_from(number).ok()?).ok()?;
            Some([number, content].concat())
        })
    }

    /// Returns what to make of a type: each variant of an enum, and a struct as it is.
    fn wanted(&self, index: TypeIndex) -> Vec<Wanted<'static>> {
        match &self.shape.types[index].kind {
            ShapeKind::Enum(variants) => (0..variants.len()).map(Wanted::Variant).collect(),
            _ => vec![Wanted::Least],
        }
    }

    /// Returns each type that a value of `root` may contain, with the steps that lead to it.
    fn ways_from(&self, root: TypeIndex) -> Vec<(TypeIndex, Vec<StepInwards>)> {
        let mut seen = vec![false; self.shape.types.len()];
        seen[root] = true;
        let mut ways = vec![(root, Vec::new())];
        let mut next = 0;
        while let Some((index, around)) = ways.get(next).cloned() {
            for (number, part) in self.shape.types[index].kind.parts().into_iter().enumerate() {
                if let Part::Type(inner) = part
                    && !std::mem::replace(&mut seen[*inner], true)
                {
                    ways.push((*inner, [&around[..], &[(index, number)]].concat()));
                }
            }
            next += 1;
        }
        ways
    }

    /// Returns a value of the outermost type that has `inside` where the steps lead.
    fn embed(&self, inside: Vec<u8>, around: &[StepInwards]) -> Option<Vec<u8>> {
        around.iter().rev().try_fold(inside, |inside, (index, number)| {
            self.composite(*index, &Wanted::Part(*number, &inside))
        })
    }
}

/// Returns the bytes of the number zero, or of the emptiest text.
fn zero(leaf: Leaf) -> &'static [u8] {
    match leaf {
        Leaf::Unit => &[],
        Leaf::F32 => &[0; 4],
        Leaf::F64 => &[0; 8],
        Leaf::Char => b"\x01a",
        _ => &[0],
    }
}
