//! Learns what a type looks like on the wire by deserializing it from nothing.
//!
//! A type tells serde what it wants to read; the trace notes that and hands out made-up values
//! until it has seen every part, with a bound on its effort. Nothing but `Deserialize` is asked
//! of the type. What asks for whatever comes next, or takes none of the values tried, is noted as
//! opaque.

mod access;
mod deserializer;
mod sample;
mod state;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::shape::{Leaf, Part, Shape};
use crate::__private::v1::{RawElement, Wire};
use crate::codec::is_plain_vec;
use deserializer::{TraceError, Tracing};
use state::{Place, State};

/// Takes down the shape of one type.
#[derive(Debug)]
pub struct Tracer {
    human_readable: bool,
    shape: Shape,
}

impl Tracer {
    /// The shape that `trace` reports, for codecs of that kind: types may look different to
    /// people than to programs.
    pub(crate) fn shape(trace: super::Trace, human_readable: bool) -> Shape {
        let mut tracer = Self { human_readable, shape: Shape::of(state::UNSEEN) };
        trace(&mut tracer);
        tracer.shape
    }

    fn run<T: DeserializeOwned>(&self) -> Shape {
        let state = RefCell::new(State::new());
        let trace =
            Tracing { state: &state, place: Place::Root, human_readable: self.human_readable };
        State::run(&state, || match catch_unwind(AssertUnwindSafe(|| T::deserialize(trace))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(TraceError(words))) => Err(words),
            Err(_) => Err("its Deserialize panics".to_owned()),
        })
    }
}

/// Reports the shape of `T`.
pub fn trace<T: Wire>(tracer: &mut Tracer) {
    let shape = tracer.run::<T>();
    tracer.shape = if is_plain_vec::<T>() { shape.into_raw() } else { shape };
}

/// Reports the shape of a raw `&[T]`.
pub fn trace_raw<T: RawElement>(tracer: &mut Tracer) {
    tracer.shape = tracer.run::<Vec<T>>().into_raw();
}

/// Reports the shape of `&str`.
pub fn trace_str(tracer: &mut Tracer) {
    tracer.shape = Shape::of(Part::Leaf(Leaf::Str));
}

/// Reports the shape of `&Path`.
pub fn trace_path(tracer: &mut Tracer) {
    tracer.shape = Shape::of(Part::Leaf(Leaf::Str));
}
