//! The passes of a trace.
//!
//! A type is deserialized again and again, each pass from the start, until all of it has been seen.
//! After a pass that fails, the next one tries other values for the part that failed. If a part takes
//! none of them, it comes last among the fields of its struct, so that all others are seen. When they
//! have been seen, the closest option, sequence or variant around that part is left out.
//!
//! All work is bounded: the values that are asked for, the passes, the depth, the tries for one part. A
//! type whose own code loops is not bounded: no code can stop that.

use std::cell::RefCell;

use crate::contract::shape::{Content, Part, Shape, ShapeKind};

use super::deserializer::unseen_fields;
use super::fields::Way;
use super::plan::VariantProgress;
use super::state::{Frame, FrameKind, TraceState, UNSEEN};

/// The most passes of a trace that may show nothing new.
const MAX_IDLE_PASSES: usize = 5_000;

/// The reason why a pass produced no value.
pub struct Failure {
    pub words: String,
    pub panicked: bool,
}

impl TraceState {
    /// Runs passes until everything has been seen or nothing more can be. Returns why a part was not
    /// seen, if one was not.
    pub fn run(
        state: &RefCell<Self>,
        human_readable: bool,
        mut pass: impl FnMut() -> Result<(), Failure>,
    ) -> Option<String> {
        let mut incomplete = Some("it takes too many attempts".to_owned());
        let mut idle = 0;
        while idle < MAX_IDLE_PASSES {
            let (made_before, known_before) = state.borrow_mut().begin_pass();
            let outcome = pass();
            let mut state = state.borrow_mut();
            let state = &mut *state;
            idle += usize::from(state.known == known_before);
            incomplete = match outcome {
                _ if state.is_exhausted() => Some("it has too many parts".to_owned()),
                Ok(()) if state.goes_on(state.made > made_before) => continue,
                Ok(()) if state.untried > 0 => Some("some variants are out of reach".to_owned()),
                Ok(()) => None,
                Err(failure) if state.recover(&failure, known_before, human_readable) => continue,
                Err(failure) => Some(failure.words),
            };
            break;
        }
        incomplete
    }

    /// Begins a pass. Returns how many variants have been made before it, and how much is known.
    pub fn begin_pass(&mut self) -> (usize, usize) {
        self.active.clear();
        self.search.begin_pass();
        self.plan.begin_pass();
        self.size.begin_pass();
        self.tagged.begin_pass();
        (self.made, self.known)
    }

    /// Returns the shape that the passes have shown.
    pub fn into_shape(mut self, incomplete: Option<String>) -> Shape {
        self.settle_aliases();
        self.settle_variants();
        for (index, kind) in self.tagged.kinds() {
            self.types[index].kind = kind;
        }
        Shape { root: self.root, types: self.types, incomplete }
    }

    /// Plans the next pass after one that produced a value. `made_one` says whether it made a variant
    /// for the first time. Returns `false` if nothing is left to try.
    pub fn goes_on(&mut self, made_one: bool) -> bool {
        if self.tagged.goes_on() {
            return true;
        }
        if self.untried > 0 {
            if made_one {
                self.plan.fresh = false;
                return true;
            }
            if !self.plan.fresh || self.plan.block_dead_ends() {
                self.plan.compute(&self.types, &self.progress);
                if let Part::Type(root) = self.root
                    && self.plan.leads_anywhere(root)
                {
                    return true;
                }
            }
        }
        self.retry_variants()
    }

    /// Changes what the next pass does, after one that failed. Returns `false` if nothing is left to
    /// try.
    pub fn recover(
        &mut self,
        failure: &Failure,
        known_before: usize,
        human_readable: bool,
    ) -> bool {
        self.plan.fresh = false;
        if self.size.must_be_larger(self.search.decided_before_failure())
            || self.refine_tagged(&failure.words)
            || self.found_alias()
            || self.search.vary(&failure.words, failure.panicked)
            || self.known > known_before
        {
            return true;
        }
        while let Some(frame) = self.active.pop() {
            let Frame { within, variant, kind } = frame;
            let changed = match kind {
                FrameKind::Fixed => false,
                FrameKind::Container(choice) => self.emptied.insert(choice),
                FrameKind::Variant => {
                    let progress = &mut self.progress[within][variant];
                    let before = std::mem::replace(progress, VariantProgress::Failed);
                    self.untried -= usize::from(before == VariantProgress::Untried);
                    before != VariantProgress::Failed
                }
                FrameKind::Fields { asked, current } => {
                    self.reorder((within, variant), asked, current, human_readable)
                }
            };
            if changed {
                return true;
            }
        }
        false
    }

    /// Notes an alias: a struct that refuses a field at its name has had that field before, under
    /// another name.
    fn found_alias(&mut self) -> bool {
        let Some(Frame { within, variant, kind }) = self.active.last() else { return false };
        let FrameKind::Fields { current: Some((field, true)), .. } = kind else { return false };
        let order = self.fields.get_mut(&(*within, *variant));
        order.is_some_and(|order| !std::mem::replace(&mut order.aliases[*field], true))
    }

    /// Asks for the fields of a struct in another way or order, because no value of it could be made.
    /// Does so if that may show more of the struct.
    fn reorder(
        &mut self,
        of: (usize, usize),
        asked: usize,
        current: Option<(usize, bool)>,
        human_readable: bool,
    ) -> bool {
        let known = self.known;
        let Some(order) = self.fields.get_mut(&of) else { return false };
        let way = match (order.way, current) {
            // It requires names, which postcard does not have.
            (Way::InOrder, None) if human_readable => Way::ByName,
            (Way::InOrder, Some(_)) if asked < order.aliases.len() => Way::ByName,
            (Way::ByName, None) => Way::InOrderOnly,
            (Way::ByName, Some((field, _))) if asked < order.by_failures().len() => {
                return order.postpone(field, known);
            }
            (Way::InOrder | Way::ByName | Way::InOrderOnly, _) => return false,
        };
        order.way = way;
        self.forget_fields(of);
        true
    }

    /// Forgets the fields that were seen in order, or by name, before they are seen the other way: with
    /// aliases, the two ways number fields differently.
    fn forget_fields(&mut self, (within, variant): (usize, usize)) {
        let names = self.fields[&(within, variant)].names;
        match &mut self.types[within].kind {
            ShapeKind::Struct(fields) => *fields = unseen_fields(names),
            ShapeKind::Enum(variants) => {
                if let Content::Struct(fields) = &mut variants[variant].content {
                    *fields = unseen_fields(names);
                }
            }
            _ => {}
        }
    }

    /// Retries variants that failed before all variants, and what they lead to, were seen: they may
    /// have needed a variant that has been made since. Returns whether there are any.
    fn retry_variants(&mut self) -> bool {
        if self.retried.replace(self.made) == Some(self.made) {
            return false;
        }
        self.plan.compute(&self.types, &self.progress);
        self.plan.fresh = false;
        let mut any = false;
        for (index, shape) in self.types.iter().enumerate() {
            let ShapeKind::Enum(variants) = &shape.kind else { continue };
            for (number, variant) in variants.iter().enumerate() {
                let progress = &mut self.progress[index][number];
                let content = &variant.content;
                if *progress == VariantProgress::Failed
                    && (content.parts().contains(&&UNSEEN)
                        || self.plan.content_leads_on(index, number, content))
                {
                    *progress = VariantProgress::Untried;
                    self.untried += 1;
                    any = true;
                }
            }
        }
        any
    }

    /// Removes the aliases from the fields. Afterwards it is unknown which names are the fields' own.
    fn settle_aliases(&mut self) {
        for ((within, variant), order) in &self.fields {
            if order.way != Way::ByName || !order.aliases.contains(&true) {
                continue;
            }
            let fields = match &mut self.types[*within].kind {
                ShapeKind::Struct(fields) => fields,
                ShapeKind::Enum(variants) => {
                    match variants.get_mut(*variant).map(|v| &mut v.content) {
                        Some(Content::Struct(fields)) => fields,
                        _ => continue,
                    }
                }
                _ => continue,
            };
            let mut aliases = order.aliases.iter();
            fields.retain(|_| !aliases.next().is_some_and(|alias| *alias));
            fields.iter_mut().for_each(|field| field.name = None);
        }
    }
}
