//! How large the values of a pass become.
//!
//! Types that hold each other in many options and lists have values that grow with the power of
//! their depth. So a value that has become large has each of these filled once in a pass, and
//! empty from then on. Where a type insists on the elements, they are there in the next pass.

use std::collections::HashSet;

use super::place::TracePlace;

/// How many values a pass asks for before options, sequences and maps stay empty.
const LARGE: usize = 1_000;

/// What keeps the values of a pass small.
#[derive(Default)]
pub struct Size {
    /// How many values this pass has asked for.
    pub steps: usize,
    /// Where it has filled options, sequences and maps.
    filled: HashSet<TracePlace>,
    /// Where it has left them empty, and how much had been decided before.
    left_out: Vec<(TracePlace, usize)>,
    /// Where they are never left empty, as a part around them has failed without.
    needed: HashSet<TracePlace>,
}

impl Size {
    pub fn begin_pass(&mut self) {
        self.steps = 0;
        self.filled.clear();
        self.left_out.clear();
    }

    /// Returns whether the option, sequence or map at a place is to stay empty, after so many
    /// decisions.
    pub fn is_enough_at(&mut self, place: TracePlace, decisions: usize) -> bool {
        if self.filled.insert(place) || self.steps < LARGE || self.needed.contains(&place) {
            return false;
        }
        self.left_out.push((place, decisions));
        true
    }

    /// After a part has failed that was begun after so many decisions: fills what was left empty in
    /// it from now on. Returns whether there was any.
    pub fn must_be_larger(&mut self, decisions: usize) -> bool {
        let inside = self.left_out.drain(..).filter(|(_, when)| *when >= decisions);
        let before = self.needed.len();
        self.needed.extend(inside.map(|(place, _)| place));
        self.needed.len() > before
    }
}
