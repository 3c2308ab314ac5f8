//! Learns what a type looks like on the wire by deserializing it from nothing.
//!
//! A type tells serde what it wants to read; the trace notes that and hands out made-up values
//! until it has seen every part, with a bound on its effort. Nothing but `Deserialize` is asked
//! of the type. What asks for whatever comes next is noted as opaque, and so is what cannot be
//! reached, as no value was found for a part before it.

mod access;
mod deserializer;
mod echo;
mod fields;
mod hint;
mod pass;
mod place;
mod plan;
mod register;
mod sample;
mod search;
mod size;
mod state;

#[cfg(test)]
mod recursive;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod validated;

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use deserializer::{TraceError, Tracing};
use pass::Failure;
use place::TracePlace;
use search::Spot;
use serde::de::DeserializeOwned;
use state::TraceState;
use witrpc_rt::lock;

use crate::codec::{Codec, RawElement, Wire, is_plain_vec};

use super::shape::{Leaf, Part, Shape};

pub use register::{SampleError, register_sample};

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
    let state = RefCell::new(TraceState::new(register::registered()));
    let trace = Tracing { state: &state, spot: Spot::ROOT, human_readable };
    let mut pass = || trace.part(TracePlace::Root, T::deserialize).map(|value| look(&value));
    TraceState::run(&state, human_readable, || match catch_unwind(AssertUnwindSafe(&mut pass)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(TraceError(words))) => Err(Failure { words, panicked: false }),
        Err(_) => Err(Failure { words: "its code panics".to_owned(), panicked: true }),
    })
}

/// Reports the shape of a `Result`. What its types must be able to do is asked of each.
pub fn trace_result<T: Wire, E: Wire>(tracer: &mut Tracer) {
    trace_value::<Result<T, E>>(tracer);
}

/// A shape, and how a value of it differs when it has been sent around.
type ShapeReport = (Shape, Option<String>);

/// What is known of types of this process, in a codec.
type KnownTypes = HashMap<(TypeId, Codec), Arc<ShapeReport>>;

/// Reports the shape of a `T` that serde carries. It is traced once a process and codec: a type's
/// code runs no more often than that takes.
pub fn trace_value<T: Wire>(tracer: &mut Tracer) {
    static KNOWN: LazyLock<Mutex<KnownTypes>> = LazyLock::new(Mutex::default);
    let key = (TypeId::of::<T>(), tracer.codec);
    let known = lock(&KNOWN).get(&key).cloned();
    // Traced without the lock: the type's code may start or call a service itself.
    let report = known.unwrap_or_else(|| {
        let report = Arc::new(report_on::<T>(tracer.codec));
        lock(&KNOWN).insert(key, Arc::clone(&report));
        report
    });
    (tracer.shape, tracer.difference) = (*report).clone();
}

fn report_on<T: Wire>(codec: Codec) -> ShapeReport {
    let mut difference = None;
    let shape = shape_of::<T>(codec.is_human_readable(), |value| {
        difference = difference.take().or_else(|| echo::difference(value, codec));
    });
    (if is_plain_vec::<T>() { shape.into_raw() } else { shape }, difference)
}

/// Reports the shape of a raw `&[T]`.
pub fn trace_raw<T: RawElement>(tracer: &mut Tracer) {
    tracer.shape = shape_of::<Vec<T>>(false, |_| {}).into_raw();
}

/// Reports the shape of one raw `T`.
pub fn trace_raw_value<T: RawElement>(tracer: &mut Tracer) {
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
