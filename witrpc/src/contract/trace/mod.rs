//! Learns the form of a type on the wire by deserializing it from nothing.
//!
//! A type tells serde what it wants to read. The trace notes that and gives out made-up values until it
//! has seen every part, with a bound on its effort. The type only needs `Deserialize`. A part that
//! reads whatever comes is noted as opaque. So is a part that cannot be reached, because no value was
//! found for a part before it.

mod access;
mod deserializer;
mod echo;
mod fields;
mod hint;
mod hollow;
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
pub use echo::Difference;
use pass::Failure;
use place::TracePlace;
use search::Spot;
use serde::de::DeserializeOwned;
use state::TraceState;
use witrpc_rt::lock;

use crate::codec::{Codec, RawElement, Wire, is_plain_vec, read_form};

use super::shape::{Leaf, Part, Shape};

pub use register::{SampleError, register_sample};

/// The recorder of one type's shape, for one codec.
#[derive(Debug)]
pub struct Tracer {
    codec: Codec,
    /// The type's name in its program.
    pub(super) type_name: &'static str,
    /// The shape, once it has been reported.
    pub(super) shape: Shape,
    /// How a value of it differs when it has been encoded and decoded, if one does.
    pub(super) difference: Option<Difference>,
}

impl Tracer {
    /// Makes `trace` report.
    pub(super) fn of(trace: super::Trace, codec: Codec) -> Self {
        let mut tracer =
            Self { codec, type_name: "", shape: Shape::of(state::UNSEEN), difference: None };
        trace(&mut tracer);
        tracer
    }
}

/// Returns the shape of `T`, in its human-readable form or not. `look` is shown the values that are
/// made up.
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

/// Reports the shape of a `Result`. The bounds of its types are checked for each.
pub fn trace_result<T: Wire, E: Wire>(tracer: &mut Tracer) {
    trace_value::<Result<T, E>>(tracer);
}

/// A shape, and how a value of it differs when it has been encoded and decoded.
type ShapeReport = (Shape, Option<Difference>);

/// The known types of this process, for each codec.
type KnownTypes = HashMap<(TypeId, Codec), Arc<ShapeReport>>;

/// Reports the shape of a `T` that serde carries. A process traces it once for each codec, so the
/// type's code runs as seldom as possible.
pub fn trace_value<T: Wire>(tracer: &mut Tracer) {
    static KNOWN: LazyLock<Mutex<KnownTypes>> = LazyLock::new(Mutex::default);
    let key = (TypeId::of::<T>(), tracer.codec);
    let known = lock(&KNOWN).get(&key).cloned();
    // Traced without the lock: the type's code may itself start or call a service.
    let report = known.unwrap_or_else(|| {
        let report = Arc::new(report_on::<T>(tracer.codec));
        lock(&KNOWN).insert(key, Arc::clone(&report));
        report
    });
    (tracer.shape, tracer.difference) = (*report).clone();
    tracer.type_name = std::any::type_name::<T>();
}

fn report_on<T: Wire>(codec: Codec) -> ShapeReport {
    let mut difference = None;
    let shape = shape_of::<T>(codec.is_human_readable(), |value| {
        difference = difference.take().or_else(|| echo::difference(value, codec));
    });
    let hollow = hollow::values(&shape).into_iter();
    let difference =
        difference.or_else(|| hollow.flat_map(|bytes| empty_difference::<T>(&bytes, codec)).next());
    (if is_plain_vec::<T>() { shape.into_raw() } else { shape }, difference)
}

/// Returns how the value of these bytes differs when it has come back. The type's code may panic.
fn empty_difference<T: Wire>(bytes: &[u8], codec: Codec) -> Option<Difference> {
    let difference = || {
        let value = read_form::<T>(bytes, codec.is_human_readable())?;
        echo::difference(&value, codec)
    };
    catch_unwind(difference).ok().flatten()
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
