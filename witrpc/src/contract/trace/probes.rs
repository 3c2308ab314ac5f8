//! The probes of a trace: see [`TraceState::probe`](super::state::TraceState::probe).

use std::collections::HashMap;

use crate::contract::shape::TypeIndex;

/// A struct, or a struct variant by its number.
pub type StructKey = (TypeIndex, usize);

/// How the fields of a struct differ from those that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldProbe {
    /// The field of this number is missing.
    Omits(usize),
    /// There is one that the struct does not name.
    Adds,
}

/// The probes of a trace.
#[derive(Default)]
pub struct Probes {
    pub are_wanted: bool,
    /// The probes of each struct that are still to be made.
    pending: HashMap<StructKey, Vec<FieldProbe>>,
    /// The probe that is being made. All values of its struct have it.
    pub active: Option<(StructKey, FieldProbe)>,
    /// How many probes have been begun.
    pub begun: usize,
    pub passed: Vec<(StructKey, FieldProbe)>,
}

impl Probes {
    /// Returns how to give out the fields of a struct that is about to be read.
    pub fn begin(&mut self, of: StructKey, fields: usize) -> Option<FieldProbe> {
        if !self.are_wanted {
            return None;
        }
        if let Some((active, probe)) = self.active {
            return (active == of).then_some(probe);
        }
        let all = || (0..fields).map(FieldProbe::Omits).chain([FieldProbe::Adds]).collect();
        let probe = self.pending.entry(of).or_insert_with(all).pop()?;
        self.active = Some((of, probe));
        self.begun += 1;
        Some(probe)
    }

    /// Notes that the struct was read.
    pub fn end(&mut self, of: StructKey) {
        self.passed.extend(self.active.take_if(|(active, _)| *active == of));
    }
}
