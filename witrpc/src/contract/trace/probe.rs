//! Probes how a struct reads fields that are missing, and fields that it does not know.
//!
//! Two versions of a struct differ by fields that only one of them has. Whether a side can read the
//! other's value is up to its `Deserialize`: a field may have a default, and unknown fields may be
//! denied. So the trace makes values again, and leaves out one field of one struct at a time, or adds
//! one. A probe that brings no value has failed: the comparison then counts the field as required.
//!
//! Only a comparison of two versions asks for this, since each probe that fails costs a pass.

use std::cell::RefCell;

use crate::contract::lenience::Lenience;
use crate::contract::shape::{Content, Field, Name, ShapeKind, TypeIndex};

use super::pass::Failure;
use super::plan::VariantProgress;
use super::probes::FieldProbe;
use super::state::TraceState;

/// How many passes the probes of one type may take.
const MAX_PASSES: usize = 5_000;

impl TraceState {
    /// Runs passes until each struct that can be reached has been probed. The trace must have run.
    pub fn probe(
        state: &RefCell<Self>,
        human_readable: bool,
        mut pass: impl FnMut() -> Result<(), Failure>,
    ) {
        state.borrow_mut().begin_round();
        let mut begun_before_round = 0;
        for _ in 0..MAX_PASSES {
            let (made_before, known_before) = state.borrow_mut().begin_pass();
            let begun_before = state.borrow().probes.begun;
            let outcome = pass();
            let state = &mut *state.borrow_mut();
            // One that is still active has failed.
            state.probes.active = None;
            let goes_on = match outcome {
                _ if state.is_exhausted() => return,
                _ if state.probes.begun > begun_before => true,
                Ok(()) => state.goes_on(state.made > made_before),
                Err(failure) => state.recover(&failure, known_before, human_readable),
            };
            if goes_on {
                continue;
            }
            // Structs that were only made within one that was being probed come in the next round.
            if std::mem::replace(&mut begun_before_round, state.probes.begun) == state.probes.begun
            {
                return;
            }
            state.begin_round();
        }
    }

    /// Makes all variants new again, so that the passes reach the structs within each of them.
    fn begin_round(&mut self) {
        self.probes.are_wanted = true;
        self.plan.fresh = false;
        self.retried = None;
        for progress in self.progress.iter_mut().flatten() {
            if let VariantProgress::Made(_) = progress {
                *progress = VariantProgress::Untried;
                self.untried += 1;
            }
        }
    }

    /// Returns the probes that have passed, in words of the shape.
    pub fn lenience(&self) -> Lenience {
        let mut lenience = Lenience::default();
        for ((within, variant), probe) in &self.probes.passed {
            let Some((variant, fields)) = self.struct_of(*within, *variant) else { continue };
            match probe {
                FieldProbe::Adds => lenience.open.extend([(*within, variant)]),
                FieldProbe::Omits(field) => {
                    let name = fields.get(*field).and_then(|field| field.name.clone());
                    lenience.optional.extend(name.map(|name| (*within, variant, name)));
                }
            }
        }
        lenience
    }

    /// Returns the name of a struct variant, or an empty one for a struct, and the fields.
    fn struct_of(&self, within: TypeIndex, variant: usize) -> Option<(Name, &[Field])> {
        match &self.types[within].kind {
            ShapeKind::Struct(fields) => Some((Name::default(), fields)),
            ShapeKind::Enum(variants) => {
                let variant = variants.get(variant)?;
                match &variant.content {
                    Content::Struct(fields) => Some((variant.name.clone()?, fields)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
