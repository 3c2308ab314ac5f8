//! The state of a trace.

use std::collections::{HashMap, HashSet};

use witrpc_rt::StackLimit;

use crate::contract::shape::{
    Content, Name, Opaque, Part, ShapeKind, TypeIndex, TypeShape, Variant,
};

use super::fields::FieldOrder;
use super::made::MadeValue;
use super::place::TracePlace;
use super::plan::{TracePlan, VariantProgress};
use super::probes::Probes;
use super::sample::{Sample, SamplePool, Samples};
use super::search::{Choice, Search, Spot, What};
use super::size::Size;
use super::tagged::{TaggedSearch, enum_name};

/// The most values that a trace may ask for in all its passes. For each thing that it has seen or made it
/// may ask for `MAX_STEPS_EACH` more, since a large type needs more than a small one.
const MAX_STEPS: usize = 500_000;
const MAX_STEPS_EACH: usize = 1_000;

/// The deepest nesting of a trace. Types that take much of the stack end it before.
const MAX_DEPTH: usize = 128;

/// The nesting from which a trace looks for variants only where they are known to be.
const MAX_SIDE_DEPTH: usize = MAX_DEPTH / 2;

/// The identity of a type: within one process, the names of a visitor and of its value differ for
/// different types.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeKey {
    pub visitor: &'static str,
    pub value: &'static str,
    pub name: &'static str,
    /// The method by which the type asked, because the same visitor may ask in two ways.
    pub asked: &'static str,
}

/// A type around the value that is being asked for.
pub struct Frame {
    pub within: TypeIndex,
    pub variant: usize,
    pub kind: FrameKind,
}

/// The changes that are possible about a type of which no value can be made.
#[derive(Clone, Copy)]
pub enum FrameKind {
    /// Nothing.
    Fixed,
    /// An option, sequence or map, which can be empty.
    Container(Choice),
    /// A variant, in addition to which there may be others.
    Variant,
    /// Named fields, which can be asked for in another order.
    Fields {
        /// How many fields have been asked for.
        asked: usize,
        /// The last one that was asked for, and whether only by its name.
        current: Option<(usize, bool)>,
    },
}

/// The state of a trace.
pub struct TraceState {
    pub root: Part,
    pub types: Vec<TypeShape>,
    indices: HashMap<TypeKey, TypeIndex>,
    /// For each type, the progress of its variants.
    pub progress: Vec<Vec<VariantProgress>>,
    pub made: usize,
    /// How many variants are [`VariantProgress::Untried`].
    pub untried: usize,
    pub plan: TracePlan,
    /// The result of [`TracePlan::visit`] for the type that was asked for last.
    leads_on: bool,
    /// How many variants had been made when the failed ones were last retried.
    pub retried: Option<usize>,
    /// How many things have been seen or made for the first time.
    pub known: usize,
    pub search: Search,
    /// For structs and struct variants, how their fields are asked for.
    pub fields: HashMap<(TypeIndex, usize), FieldOrder>,
    /// The options, sequences and maps that are left empty.
    pub emptied: HashSet<Choice>,
    /// Keeps the values of a pass small.
    pub size: Size,
    pub probes: Probes,
    pub tagged: TaggedSearch,
    /// The type that has asked for any value last.
    asked_for_any: Option<TypeKey>,
    pub active: Vec<Frame>,
    steps: usize,
}

impl TraceState {
    pub fn new(registered: Samples) -> Self {
        Self {
            root: UNSEEN,
            types: Vec::new(),
            indices: HashMap::new(),
            progress: Vec::new(),
            made: 0,
            untried: 0,
            plan: TracePlan::default(),
            leads_on: false,
            retried: None,
            known: 0,
            search: Search::new(registered),
            fields: HashMap::new(),
            emptied: HashSet::new(),
            size: Size::default(),
            probes: Probes::default(),
            tagged: TaggedSearch::default(),
            asked_for_any: None,
            active: Vec::new(),
            steps: 0,
        }
    }

    /// Notes that a value is asked for, and returns its sample. Returns `None` if the pass cannot
    /// continue.
    pub fn step(&mut self, spot: Spot, pool: SamplePool) -> Option<Sample> {
        self.steps += 1;
        self.size.steps += 1;
        let go_on = !self.is_exhausted()
            && self.active.len() < MAX_DEPTH
            && !StackLimit::of_this_thread().is_reached();
        self.search.decide((spot, What::Value), pool).filter(|_| go_on)
    }

    /// Returns whether no further value may be asked for.
    pub fn is_exhausted(&self) -> bool {
        self.steps > MAX_STEPS + MAX_STEPS_EACH * self.known
    }

    /// Notes the part at `place`. A part that differs from one time to the next is opaque.
    pub fn see(&mut self, place: TracePlace, part: Part) {
        match self.slot(place) {
            Some(slot) if *slot == UNSEEN => {
                *slot = part;
                self.known += 1;
            }
            Some(Part::Opaque(_)) | None => {}
            Some(slot) if *slot == part => {}
            Some(slot) => *slot = Part::Opaque(Opaque::Varies),
        }
    }

    /// Notes that the part at `place` is opaque, whatever was seen there.
    pub fn see_opaque(&mut self, place: TracePlace, why: Opaque) {
        let opaque = Part::Opaque(why);
        if let Some(slot) = self.slot(place).filter(|slot| **slot != opaque) {
            *slot = opaque;
            self.known += 1;
        }
    }

    /// Ends a part, with a value or without.
    pub fn end_part(&mut self, part: Spot, made: bool) {
        self.search.end(part, made);
        if made {
            self.tagged.made(self.search.open_parts());
        }
    }

    /// Returns the value to give out for a type that asks for any, if it is an internally tagged enum.
    pub fn see_tagged(&mut self, place: TracePlace, key: TypeKey) -> Option<MadeValue> {
        self.asked_for_any = Some(key);
        let index = *self.indices.get(&key)?;
        if let Some(slot) = self.slot(place) {
            *slot = Part::Type(index);
        }
        self.tagged.value(index, self.search.open_parts())
    }

    /// Makes use of an error of a type that asks for any value. Returns whether the next pass gives out
    /// another one.
    pub fn refine_tagged(&mut self, error: &str) -> bool {
        if self.tagged.refine(error) {
            return true;
        }
        let (Some(key), Some(name)) = (self.asked_for_any, enum_name(error)) else { return false };
        if self.indices.contains_key(&key) {
            return false;
        }
        let index = self.types.len();
        self.indices.insert(key, index);
        let kind = ShapeKind::Tagged(Name::default(), Vec::new());
        self.types.push(TypeShape { name: name.to_owned().into(), kind });
        self.progress.push(Vec::new());
        self.known += 1;
        self.tagged.begin(index);
        true
    }

    fn slot(&mut self, place: TracePlace) -> Option<&mut Part> {
        let TracePlace::Inside { within, variant, part } = place else {
            return Some(&mut self.root);
        };
        match &mut self.types[within].kind {
            ShapeKind::Option(inner)
            | ShapeKind::Newtype(inner)
            | ShapeKind::Sequence(inner)
            | ShapeKind::Raw(inner) => Some(inner),
            ShapeKind::Map(key, value) => Some(if part == 0 { key } else { value }),
            ShapeKind::Tuple(parts) => parts.get_mut(part),
            ShapeKind::UnitStruct | ShapeKind::Tagged(..) => None,
            ShapeKind::Struct(fields) => fields.get_mut(part).map(|field| &mut field.part),
            ShapeKind::Enum(variants) => match &mut variants.get_mut(variant)?.content {
                Content::Newtype(inner) => Some(inner),
                Content::Tuple(parts) => parts.get_mut(part),
                Content::Struct(fields) => fields.get_mut(part).map(|field| &mut field.part),
                Content::Unit | Content::Opaque => None,
            },
        }
    }

    /// Returns the type of that key, seen at `place`. Enters it as `shape` says if it is new.
    pub fn see_type(
        &mut self,
        place: TracePlace,
        key: TypeKey,
        shape: impl FnOnce() -> TypeShape,
    ) -> TypeIndex {
        let next = self.types.len();
        let index = *self.indices.entry(key).or_insert(next);
        if index == next {
            let shape = shape();
            let variants =
                if let ShapeKind::Enum(variants) = &shape.kind { variants.len() } else { 0 };
            self.types.push(shape);
            self.known += 1;
            self.progress.push(vec![VariantProgress::Untried; variants]);
            self.untried += variants;
        }
        self.leads_on = self.plan.visit(index);
        self.see(place, Part::Type(index));
        index
    }

    pub fn kind_mut(&mut self, index: TypeIndex) -> &mut ShapeKind {
        &mut self.types[index].kind
    }

    /// Enters a type. Pass the result to [`leave`](Self::leave).
    pub fn enter(&mut self, within: TypeIndex, variant: usize, kind: FrameKind) -> usize {
        self.active.push(Frame { within, variant, kind });
        self.active.len() - 1
    }

    /// Notes that a field of the type at this level is asked for: by its name alone, or its value.
    pub fn ask_field(&mut self, level: usize, field: usize, by_name: bool) {
        // A type that continued after an error has left what is above it.
        self.active.truncate(level + 1);
        if let Some(FrameKind::Fields { asked, current }) =
            self.active.last_mut().map(|frame| &mut frame.kind)
        {
            *asked += usize::from(!by_name);
            *current = Some((field, by_name));
        }
    }

    /// Leaves a type with a value. After an error, types are not left, so that
    /// [`recover`](Self::recover) sees the place of the error.
    pub fn leave(&mut self, level: usize) {
        self.active.truncate(level);
    }

    fn is_active(&self, index: TypeIndex) -> bool {
        self.active.iter().any(|frame| frame.within == index)
    }

    /// Returns how many elements to give a value of the type, whose elements are optional. It is none
    /// within another value of the element's type, so that recursion ends, unless the plan leads there.
    pub fn elements(&mut self, spot: Spot, index: TypeIndex) -> usize {
        let recursive = self.types[index].kind.parts().iter().any(|part| match part {
            Part::Type(inner) => self.is_active(*inner),
            _ => false,
        });
        let choice = (spot, What::Length);
        if recursive && !self.leads_on {
            return 0;
        }
        let elements = if self.emptied.contains(&choice)
            || (self.size.is_enough_at(spot.place, self.search.decisions()) && !self.leads_on)
        {
            0
        } else {
            self.decided(choice, index)
        };
        if self.leads_on && elements == 0 {
            self.plan.dead_end(spot.place, index);
        }
        elements
    }

    fn decided(&mut self, choice: Choice, index: TypeIndex) -> usize {
        let is_option = matches!(self.types[index].kind, ShapeKind::Option(_));
        let pool = if is_option { SamplePool::Fixed(2) } else { SamplePool::Length };
        match self.search.decide(choice, pool) {
            Some(Sample::Number(number)) if is_option => 1 - number,
            Some(Sample::Number(number)) => number,
            _ => 0,
        }
    }

    /// Returns how the fields of a struct or struct variant are asked for.
    pub fn field_order(
        &mut self,
        within: TypeIndex,
        variant: usize,
        names: &'static [&'static str],
    ) -> &FieldOrder {
        self.fields.entry((within, variant)).or_insert_with(|| FieldOrder::new(names))
    }

    /// Returns which variant to make next: one that is not tried yet, or one that leads on; otherwise
    /// the one that was made first, because that one ends.
    pub fn choose_variant(&self, index: TypeIndex) -> Option<usize> {
        let progress = &self.progress[index];
        let open = |variant: usize| {
            !self.active.iter().any(|frame| frame.within == index && frame.variant == variant)
        };
        let untried = || {
            (0..progress.len())
                .find(|variant| progress[*variant] == VariantProgress::Untried && open(*variant))
        };
        let leads_on = || self.plan.leads_on(index, &self.types[index].kind, progress);
        let first_made = || {
            let made = progress.iter().enumerate().filter_map(|(variant, progress)| {
                if let VariantProgress::Made(when) = progress {
                    Some((*when, variant))
                } else {
                    None
                }
            });
            made.min().map(|(_, variant)| variant)
        };
        if self.leads_on {
            return untried().or_else(leads_on).or_else(first_made);
        }
        if self.active.len() > MAX_SIDE_DEPTH {
            return first_made().or_else(untried);
        }
        untried().or_else(first_made)
    }

    /// Notes that a value of that variant has been made.
    pub fn made_variant(&mut self, index: TypeIndex, variant: usize) {
        let progress = &mut self.progress[index][variant];
        if *progress == VariantProgress::Untried {
            self.made += 1;
            self.untried -= 1;
            self.known += 1;
            *progress = VariantProgress::Made(self.made);
        }
    }

    /// Marks variants that were out of reach. If the type does not know one of the names, that name is
    /// an alias. Then it is unknown which names are the variants' own.
    pub fn settle_variants(&mut self) {
        for (shape, progress) in self.types.iter_mut().zip(&self.progress) {
            let ShapeKind::Enum(variants) = &mut shape.kind else { continue };
            let known = variants.len();
            let mut progress = progress.iter();
            variants.retain_mut(|variant| {
                let progress = *progress.next().unwrap_or(&VariantProgress::Failed);
                let unseen = variant.content == Content::Unit;
                if unseen && progress == VariantProgress::Untried {
                    variant.content = Content::Opaque;
                }
                !(unseen && progress == VariantProgress::Failed)
            });
            if variants.len() < known {
                variants.iter_mut().for_each(|variant| variant.name = None);
            }
        }
    }
}

/// A part that has not been seen yet.
pub const UNSEEN: Part = Part::Opaque(Opaque::NotReached);

/// Returns a variant that has not been seen yet.
pub fn unseen_variant(name: &'static str) -> Variant {
    Variant { name: Some(name.into()), content: Content::Unit }
}
