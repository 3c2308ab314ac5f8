//! The bound on the size of the values of a pass.
//!
//! Types that contain each other in many options and lists have values that grow exponentially with
//! their depth. So in a value that has become large, each of these is filled once in a pass, and stays
//! empty from then on. If a type requires the elements, they are there in the next pass.

use std::collections::HashSet;

use super::place::TracePlace;

/// The number of values that a pass asks for before options, sequences and maps stay empty.
const LARGE: usize = 1_000;

/// The state that keeps the values of a pass small.
#[derive(Default)]
pub struct Size {
    /// How many values this pass has asked for.
    pub steps: usize,
    /// Where this pass has filled options, sequences and maps.
    filled: HashSet<TracePlace>,
    /// Where this pass has left them empty, each with the number of decisions before it.
    left_out: Vec<(TracePlace, usize)>,
    /// Where they are never left empty, because a part around them has failed without.
    needed: HashSet<TracePlace>,
}

impl Size {
    pub fn begin_pass(&mut self) {
        self.steps = 0;
        self.filled.clear();
        self.left_out.clear();
    }

    /// Returns whether the option, sequence or map at a place must stay empty, after `decisions`
    /// decisions.
    pub fn is_enough_at(&mut self, place: TracePlace, decisions: usize) -> bool {
        if self.filled.insert(place) || self.steps < LARGE || self.needed.contains(&place) {
            return false;
        }
        self.left_out.push((place, decisions));
        true
    }

    /// Fills from now on what was left empty in a failed part, which was begun after `decisions`
    /// decisions. Returns whether there was anything.
    pub fn must_be_larger(&mut self, decisions: usize) -> bool {
        let inside = self.left_out.drain(..).filter(|(_, when)| *when >= decisions);
        let before = self.needed.len();
        self.needed.extend(inside.map(|(place, _)| place));
        self.needed.len() > before
    }
}
