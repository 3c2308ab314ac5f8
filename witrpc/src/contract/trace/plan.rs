//! The path to the variants that no pass has made yet.
//!
//! Each type has a distance: how many types lie between a value of it and an enum with a variant that
//! has not been tried. The first value of a type in a pass leads on: among its variants, the one with
//! the least distance is made, and its content is not left empty. Each type from there on is either met
//! for the first time, or has led on before in the same pass. So by falling distances, each pass
//! reaches an untried variant if any can be reached, and makes several if several types lead to one.
//! All further values of a type in a pass are as small as possible.
//!
//! Distances are computed again only after a pass that made nothing new: older ones at worst lead to a
//! variant that has been made meanwhile.

use std::collections::{HashSet, VecDeque};

use crate::contract::shape::{Content, Part, ShapeKind, TypeIndex, TypeShape};

use super::place::TracePlace;

/// The distance of a type that leads nowhere.
const NOWHERE: usize = usize::MAX;

/// The progress of the trace with a variant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VariantProgress {
    Untried,
    /// Made once; the number orders these events.
    Made(usize),
    /// Cannot be made.
    Failed,
}

/// The distances of all types.
#[derive(Default)]
pub struct TracePlan {
    distances: Vec<usize>,
    /// Whether no pass has changed anything since they were computed.
    pub fresh: bool,
    /// Where an option, sequence or map stayed empty although it should have led on.
    blocked: HashSet<TracePlace>,
    /// The dead ends of this pass.
    dead_ends: Vec<TracePlace>,
    /// For each type, the last pass that visited it.
    visited: Vec<usize>,
    pass: usize,
}

impl TracePlan {
    pub fn begin_pass(&mut self) {
        self.pass += 1;
        self.dead_ends.clear();
    }

    /// Returns whether an untried variant can be reached inside the type.
    pub fn leads_anywhere(&self, index: TypeIndex) -> bool {
        self.distance(index) != NOWHERE && !self.blocked.contains(&TracePlace::Root)
    }

    /// Returns whether one can be reached inside the content of a variant.
    pub fn content_leads_on(&self, within: TypeIndex, variant: usize, content: &Content) -> bool {
        self.of_content(within, variant, content) != NOWHERE
    }

    fn distance(&self, index: TypeIndex) -> usize {
        self.distances.get(index).copied().unwrap_or(NOWHERE)
    }

    /// Notes that a value of a type is asked for. Returns whether it must lead on to an untried
    /// variant.
    pub fn visit(&mut self, index: TypeIndex) -> bool {
        if self.visited.len() <= index {
            self.visited.resize(index + 1, 0);
        }
        let first = std::mem::replace(&mut self.visited[index], self.pass) != self.pass;
        first && self.distance(index) != NOWHERE
    }

    /// Notes that an option, sequence or map stays empty although it should lead on. One of its type
    /// elsewhere may lead on.
    pub fn dead_end(&mut self, place: TracePlace, index: TypeIndex) {
        self.dead_ends.push(place);
        self.visited[index] = 0;
    }

    /// Excludes the places that have turned out to be dead ends. Returns whether any of them is new.
    pub fn block_dead_ends(&mut self) -> bool {
        let before = self.blocked.len();
        self.blocked.extend(self.dead_ends.drain(..));
        self.blocked.len() > before
    }

    /// Returns the variant of the enum whose content leads on by the shortest path.
    pub fn leads_on(
        &self,
        index: TypeIndex,
        kind: &ShapeKind,
        progress: &[VariantProgress],
    ) -> Option<usize> {
        let ShapeKind::Enum(variants) = kind else { return None };
        let made =
            (0..variants.len()).filter(|of| matches!(progress[*of], VariantProgress::Made(_)));
        let distances = made.map(|of| (self.of_content(index, of, &variants[of].content), of));
        distances.min().filter(|(distance, _)| *distance != NOWHERE).map(|(_, variant)| variant)
    }

    /// Returns the least distance of the parts of a variant.
    fn of_content(&self, within: TypeIndex, variant: usize, content: &Content) -> usize {
        let parts = content.parts().into_iter().enumerate();
        let open = parts.filter(|(part, _)| {
            !self.blocked.contains(&TracePlace::Inside { within, variant, part: *part })
        });
        let distances = open.filter_map(|(_, part)| match part {
            Part::Type(index) => Some(self.distance(*index)),
            Part::Leaf(_) | Part::Opaque(_) => None,
        });
        distances.min().unwrap_or(NOWHERE)
    }

    /// Computes all distances, from the untried variants backwards.
    pub fn compute(&mut self, types: &[TypeShape], progress: &[Vec<VariantProgress>]) {
        self.fresh = true;
        let mut holders: Vec<Vec<TypeIndex>> = vec![Vec::new(); types.len()];
        for (within, shape) in types.iter().enumerate() {
            let mut hold = |variant, parts: Vec<&Part>| {
                for (part, of) in parts.into_iter().enumerate() {
                    let place = TracePlace::Inside { within, variant, part };
                    if let Part::Type(index) = of
                        && !self.blocked.contains(&place)
                    {
                        holders[*index].push(within);
                    }
                }
            };
            match &shape.kind {
                ShapeKind::Enum(variants) => {
                    for (variant, of) in variants.iter().enumerate() {
                        if progress[within][variant] != VariantProgress::Failed {
                            hold(variant, of.content.parts());
                        }
                    }
                }
                kind => hold(0, kind.parts()),
            }
        }
        self.distances = vec![NOWHERE; types.len()];
        let mut todo = VecDeque::new();
        for (index, progress) in progress.iter().enumerate() {
            if progress.contains(&VariantProgress::Untried) {
                self.distances[index] = 0;
                todo.push_back(index);
            }
        }
        while let Some(index) = todo.pop_front() {
            for holder in &holders[index] {
                if self.distances[*holder] == NOWHERE {
                    self.distances[*holder] = self.distances[index] + 1;
                    todo.push_back(*holder);
                }
            }
        }
    }
}
