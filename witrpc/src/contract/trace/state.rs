//! What a trace knows so far.
//!
//! A type is deserialized again and again, each pass from the start, until all of it has been
//! seen. A pass that fails is put down to the last value that was handed out, and the next pass
//! tries another one there; when none fits, the closest `Option`, sequence or variant around it
//! is done without.

use std::collections::HashMap;

use super::super::shape::{Content, Kind, Opaque, Part, Shape, TypeIndex, TypeShape, Variant};
use super::sample::LENGTHS;

/// How many values a trace may ask for in all its passes.
const MAX_STEPS: usize = 200_000;

/// How many passes a trace may take.
const MAX_PASSES: usize = 5_000;

/// How deep a trace may nest.
const MAX_DEPTH: usize = 128;

/// What tells two types apart: within one process, the names of a visitor and of its value do.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) visitor: &'static str,
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    /// The method by which the type asked, as the same visitor may ask in two ways.
    pub(super) asked: &'static str,
}

/// A place where a part of a value stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Root,
    /// A part of a type, counted from 0; of one of its variants, if it is an enum.
    Inside {
        within: TypeIndex,
        variant: usize,
        part: usize,
    },
}

/// How far the trace is with a variant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Untried,
    /// Made once; the number orders these moments.
    Made(usize),
    /// Cannot be made.
    Failed,
}

/// A type around the value that is being asked for.
struct Frame {
    within: TypeIndex,
    variant: usize,
    /// Whether a value without what is inside can be made.
    avoidable: bool,
}

/// What a trace knows so far.
pub(super) struct State {
    root: Part,
    types: Vec<TypeShape>,
    indices: HashMap<Key, TypeIndex>,
    /// Of each type: how far its variants are.
    progress: Vec<Vec<Progress>>,
    made: usize,
    /// Which of the samples is due at a place, if not the first.
    attempts: HashMap<Place, usize>,
    /// Where the last value was asked for, and how many samples there are for it.
    last: (Place, usize),
    active: Vec<Frame>,
    steps: usize,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            root: UNSEEN,
            types: Vec::new(),
            indices: HashMap::new(),
            progress: Vec::new(),
            made: 0,
            attempts: HashMap::new(),
            last: (Place::Root, 0),
            active: Vec::new(),
            steps: 0,
        }
    }

    /// Runs passes until everything has been seen or nothing more can be, and gives the shape.
    pub(super) fn run(
        state: &std::cell::RefCell<Self>,
        mut pass: impl FnMut() -> Result<(), String>,
    ) -> Shape {
        let mut incomplete = None;
        for _ in 0..MAX_PASSES {
            let made_before = {
                let mut state = state.borrow_mut();
                state.active.clear();
                state.made
            };
            let outcome = pass();
            let mut state = state.borrow_mut();
            let state = &mut *state;
            match outcome {
                _ if state.steps > MAX_STEPS => {
                    incomplete = Some("it has too many parts".to_owned());
                }
                Ok(()) if !state.leads_to_untried(&state.root) => {
                    incomplete = None;
                    break;
                }
                Ok(()) if state.made > made_before => continue,
                Ok(()) => incomplete = Some("some variants are out of reach".to_owned()),
                Err(_) if state.try_otherwise() => continue,
                Err(error) => incomplete = Some(error),
            }
            break;
        }
        let mut state = state.borrow_mut();
        state.settle_variants();
        Shape {
            root: std::mem::replace(&mut state.root, UNSEEN),
            types: std::mem::take(&mut state.types),
            incomplete,
        }
    }

    /// Notes that a value is asked for at `place`, for which there are so many `samples`, and
    /// gives the number of the sample that is due. `None` when there is no use in going on.
    pub(super) fn step(&mut self, place: Place, samples: usize) -> Option<usize> {
        self.steps += 1;
        self.last = (place, samples);
        let due = self.attempts.get(&place).copied().unwrap_or(0);
        let go_on = self.steps <= MAX_STEPS && self.active.len() < MAX_DEPTH;
        (go_on && due < samples).then_some(due)
    }

    /// Notes what stands at `place`. What differs from one time to the next cannot be told.
    pub(super) fn see(&mut self, place: Place, part: Part) {
        match self.slot(place) {
            Some(slot) if *slot == UNSEEN => *slot = part,
            Some(Part::Opaque(_)) | None => {}
            Some(slot) if *slot == part => {}
            Some(slot) => *slot = Part::Opaque(Opaque::Varies),
        }
    }

    /// Notes that what stands at `place` cannot be told, whatever was seen there.
    pub(super) fn see_opaque(&mut self, place: Place, why: Opaque) {
        if let Some(slot) = self.slot(place) {
            *slot = Part::Opaque(why);
        }
    }

    fn slot(&mut self, place: Place) -> Option<&mut Part> {
        let Place::Inside { within, variant, part } = place else {
            return Some(&mut self.root);
        };
        match &mut self.types[within].kind {
            Kind::Option(inner)
            | Kind::Newtype(inner)
            | Kind::Sequence(inner)
            | Kind::Raw(inner) => Some(inner),
            Kind::Map(key, value) => Some(if part == 0 { key } else { value }),
            Kind::Tuple(parts) => parts.get_mut(part),
            Kind::UnitStruct => None,
            Kind::Struct(fields) => fields.get_mut(part).map(|field| &mut field.part),
            Kind::Enum(variants) => match &mut variants.get_mut(variant)?.content {
                Content::Newtype(inner) => Some(inner),
                Content::Tuple(parts) => parts.get_mut(part),
                Content::Struct(fields) => fields.get_mut(part).map(|field| &mut field.part),
                Content::Unit | Content::Opaque => None,
            },
        }
    }

    /// The type of that key, seen at `place`; entered as `shape` says when it is new.
    pub(super) fn see_type(
        &mut self,
        place: Place,
        key: Key,
        shape: impl FnOnce() -> TypeShape,
    ) -> TypeIndex {
        let next = self.types.len();
        let index = *self.indices.entry(key).or_insert(next);
        if index == next {
            let shape = shape();
            let variants = if let Kind::Enum(variants) = &shape.kind { variants.len() } else { 0 };
            self.types.push(shape);
            self.progress.push(vec![Progress::Untried; variants]);
        }
        self.see(place, Part::Type(index));
        index
    }

    pub(super) fn kind_mut(&mut self, index: TypeIndex) -> &mut Kind {
        &mut self.types[index].kind
    }

    /// Goes inside a type; [`leave`](Self::leave) takes what this returns.
    pub(super) fn enter(&mut self, within: TypeIndex, variant: usize, avoidable: bool) -> usize {
        self.active.push(Frame { within, variant, avoidable });
        self.active.len() - 1
    }

    /// Comes out of a type with a value. After a failure nobody comes out, so that
    /// [`try_otherwise`](Self::try_otherwise) sees where it was.
    pub(super) fn leave(&mut self, level: usize) {
        self.active.truncate(level);
    }

    fn is_active(&self, index: TypeIndex) -> bool {
        self.active.iter().any(|frame| frame.within == index)
    }

    /// How many elements to give a value of the type, whose elements are optional. None within
    /// another value of the element's type, so that recursion ends.
    pub(super) fn elements(&self, index: TypeIndex) -> usize {
        let due = self.attempts.get(&avoided(index)).copied().unwrap_or(0);
        let recursive = self.types[index].kind.parts().iter().any(|part| match part {
            Part::Type(inner) => self.is_active(*inner),
            _ => false,
        });
        if recursive { 0 } else { LENGTHS.get(due).copied().unwrap_or(0) }
    }

    /// Which variant to make next: one not tried yet, or one that leads on; within another value
    /// of the same enum the one that was made first, since that one ends.
    pub(super) fn choose_variant(&self, index: TypeIndex) -> Option<usize> {
        let progress = &self.progress[index];
        let open = |variant: usize| {
            !self.active.iter().any(|frame| frame.within == index && frame.variant == variant)
        };
        let untried = (0..progress.len())
            .find(|variant| progress[*variant] == Progress::Untried && open(*variant));
        let leads_on = || {
            let Kind::Enum(variants) = &self.types[index].kind else { return None };
            (0..variants.len()).find(|variant| {
                matches!(progress[*variant], Progress::Made(_))
                    && variants[*variant].content.parts().iter().any(|p| self.leads_to_untried(p))
            })
        };
        let first_made = || {
            let made = progress.iter().enumerate().filter_map(|(variant, progress)| {
                if let Progress::Made(when) = progress { Some((*when, variant)) } else { None }
            });
            made.min().map(|(_, variant)| variant)
        };
        if self.is_active(index) {
            return untried.or_else(first_made);
        }
        untried.or_else(leads_on).or_else(first_made)
    }

    /// A value of that variant has been made.
    pub(super) fn made_variant(&mut self, index: TypeIndex, variant: usize) {
        let progress = &mut self.progress[index][variant];
        if *progress == Progress::Untried {
            self.made += 1;
            *progress = Progress::Made(self.made);
        }
    }

    /// Whether there are variants still to be tried somewhere inside `part`.
    fn leads_to_untried(&self, part: &Part) -> bool {
        let mut seen = vec![false; self.types.len()];
        let mut todo: Vec<TypeIndex> = Vec::new();
        let mut parts = vec![part];
        loop {
            for part in parts.drain(..) {
                if let Part::Type(index) = part
                    && !std::mem::replace(&mut seen[*index], true)
                {
                    todo.push(*index);
                }
            }
            let Some(index) = todo.pop() else { return false };
            if self.progress[index].contains(&Progress::Untried) {
                return true;
            }
            parts = self.types[index].kind.parts();
        }
    }

    /// After a failed pass: changes what the next one does. `false` when nothing is left to try.
    fn try_otherwise(&mut self) -> bool {
        let (place, samples) = self.last;
        let due = self.attempts.entry(place).or_insert(0);
        *due += 1;
        if *due < samples {
            return true;
        }
        while let Some(frame) = self.active.pop() {
            if !frame.avoidable {
                continue;
            }
            if let Some(progress) = self.progress[frame.within].get_mut(frame.variant) {
                if *progress != Progress::Failed {
                    *progress = Progress::Failed;
                    return true;
                }
                continue;
            }
            let tried = self.attempts.entry(avoided(frame.within)).or_insert(0);
            *tried += 1;
            if *tried < LENGTHS.len() {
                return true;
            }
        }
        false
    }

    /// Marks variants that were out of reach. A variant that the type does not even know is an
    /// alias among the names: then it is unknown which names are the variants' own.
    fn settle_variants(&mut self) {
        for (shape, progress) in self.types.iter_mut().zip(&self.progress) {
            let Kind::Enum(variants) = &mut shape.kind else { continue };
            let known = variants.len();
            let mut progress = progress.iter();
            variants.retain_mut(|variant| {
                let progress = *progress.next().unwrap_or(&Progress::Failed);
                let unseen = variant.content == Content::Unit;
                if unseen && progress == Progress::Untried {
                    variant.content = Content::Opaque;
                }
                !(unseen && progress == Progress::Failed)
            });
            if variants.len() < known {
                variants.iter_mut().for_each(|variant| variant.name = None);
            }
        }
    }
}

/// Where it is counted how often the elements of a type had to be done without.
fn avoided(index: TypeIndex) -> Place {
    Place::Inside { within: index, variant: usize::MAX, part: usize::MAX }
}

/// A part that has not been seen yet.
pub(super) const UNSEEN: Part = Part::Opaque(Opaque::NotReached);

/// A variant that has not been seen yet.
pub(super) fn unseen_variant(name: &'static str) -> Variant {
    Variant { name: Some(name.into()), content: Content::Unit }
}
