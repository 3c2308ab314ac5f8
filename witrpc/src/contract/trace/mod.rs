//! Learns what a type looks like on the wire by deserializing it from nothing.
//!
//! A type tells serde what it wants to read; the trace notes that and hands out made-up values
//! until it has seen every part, with a bound on its effort. Nothing but `Deserialize` is asked
//! of the type. What asks for whatever comes next, or takes none of the values tried, is noted as
//! opaque.

mod access;
mod deserializer;
mod echo;
mod sample;
mod state;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::shape::{Leaf, Part, Shape};
use crate::__private::v1::{RawElement, Travels, Wire};
use crate::codec::{Codec, is_plain_vec};
use deserializer::{TraceError, Tracing};
use state::{Place, State};

/// Takes down the shape of one type, as one codec has it.
#[derive(Debug)]
pub struct Tracer {
    codec: Codec,
    /// The shape, once it has been reported.
    pub(super) shape: Shape,
    /// How a value of it differs when it has been sent around, if one does.
    pub(super) difference: Option<String>,
}

impl Tracer {
    /// Has `trace` report.
    pub(super) fn of(trace: super::Trace, codec: Codec) -> Self {
        let mut tracer = Self { codec, shape: Shape::of(state::UNSEEN), difference: None };
        trace(&mut tracer);
        tracer
    }
}

/// The shape of `T`, in the way that it has for people or for programs; `look` is shown the
/// values that are made up.
fn shape_of<T: DeserializeOwned>(human_readable: bool, mut look: impl FnMut(&T)) -> Shape {
    let state = RefCell::new(State::new());
    let trace = Tracing { state: &state, place: Place::Root, human_readable };
    let mut pass = || T::deserialize(trace).map(|value| look(&value));
    State::run(&state, || match catch_unwind(AssertUnwindSafe(&mut pass)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(TraceError(words))) => Err(words),
        Err(_) => Err("its code panics".to_owned()),
    })
}

/// Reports the shape of a value of `T`.
pub fn trace<T: Travels>(tracer: &mut Tracer) {
    T::trace(tracer);
}

/// Reports the shape of a `Result`. What its types must be able to do is asked of each.
pub fn trace_result<T: Wire, E: Wire>(tracer: &mut Tracer) {
    trace_value::<Result<T, E>>(tracer);
}

/// Reports the shape of a `T` that serde carries.
pub(crate) fn trace_value<T: Wire>(tracer: &mut Tracer) {
    let codec = tracer.codec;
    let mut difference = None;
    let shape = shape_of::<T>(codec.is_human_readable(), |value| {
        difference = difference.take().or_else(|| echo::difference(value, codec));
    });
    tracer.shape = if is_plain_vec::<T>() { shape.into_raw() } else { shape };
    tracer.difference = difference;
}

/// Reports the shape of a raw `&[T]`.
pub fn trace_raw<T: RawElement>(tracer: &mut Tracer) {
    tracer.shape = shape_of::<Vec<T>>(false, |_| {}).into_raw();
}

/// Reports the shape of one raw `T`.
pub(crate) fn trace_raw_value<T: RawElement>(tracer: &mut Tracer) {
    tracer.shape = shape_of::<T>(false, |_| {}).into_raw();
}

/// Reports the shape of `&str`.
pub fn trace_str(tracer: &mut Tracer) {
    tracer.shape = Shape::of(Part::Leaf(Leaf::Str));
}

/// Reports the shape of `&Path`.
pub fn trace_path(tracer: &mut Tracer) {
    tracer.shape = Shape::of(Part::Leaf(Leaf::Str));
}
