//! Learns the form of a type on the wire by deserializing it from nothing.
//!
//! A type tells serde what it wants to read. The trace notes that and gives out made-up values until it
//! has seen every part, with a bound on its effort. The type only needs `Deserialize`. A part that
//! reads whatever comes is noted as opaque. So is a part that cannot be reached, because no value was
//! found for a part before it.

mod access;
mod deserializer;
mod echo;
mod error;
mod fields;
mod hint;
mod hollow;
mod made;
mod pass;
mod place;
mod plan;
mod probe;
mod probes;
mod register;
mod sample;
mod search;
mod size;
mod state;
mod tagged;
mod unseen;

#[cfg(test)]
mod internally_tagged;
#[cfg(test)]
mod recursive;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod validated;

use std::any::{TypeId, type_name};
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use deserializer::Tracing;
pub use echo::Difference;
use error::TraceError;
use pass::Failure;
use place::TracePlace;
use search::Spot;
use serde::de::DeserializeOwned;
use state::TraceState;
use witrpc_rt::lock;

use crate::codec::{Codec, RawElement, Wire, is_plain_vec, read_form};

use super::lenience::Lenience;
use super::shape::{Leaf, Part, Shape};

pub use register::{SampleError, register_sample};
pub use unseen::unseen;

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
    /// How it reads structs with other fields, if that is asked for instead.
    lenience: Option<Lenience>,
}

impl Tracer {
    /// Makes `trace` report.
    pub(super) fn of(trace: super::Trace, codec: Codec) -> Self {
        let shape = Shape::of(state::UNSEEN);
        let mut tracer = Self { codec, type_name: "", shape, difference: None, lenience: None };
        trace(&mut tracer);
        tracer
    }

    /// Returns how a type reads structs with other fields than those of this shape, which it had when
    /// it was traced. If it has another one now, nothing is known of it.
    pub(super) fn probe(trace: super::Trace, codec: Codec, shape: &Shape) -> Lenience {
        let unseen = Shape::of(state::UNSEEN);
        let lenience = Some(Lenience::default());
        let mut tracer = Self { codec, type_name: "", shape: unseen, difference: None, lenience };
        trace(&mut tracer);
        tracer.lenience.filter(|_| tracer.shape == *shape).unwrap_or_default()
    }
}

/// Returns the shape of `T`, in its human-readable form or not. `look` is shown the values that are
/// made up.
fn shape_of<T: DeserializeOwned>(human_readable: bool, mut look: impl FnMut(&T)) -> Shape {
    let state = RefCell::new(TraceState::new(register::registered()));
    let incomplete =
        TraceState::run(&state, human_readable, || pass(&state, human_readable, &mut look));
    state.into_inner().into_shape(incomplete)
}

/// Returns how `T` reads structs with other fields, and the shape for which that holds.
fn lenience_of<T: DeserializeOwned>(human_readable: bool) -> (Shape, Lenience) {
    let state = RefCell::new(TraceState::new(register::registered()));
    let mut pass = || pass(&state, human_readable, |_: &T| {});
    let incomplete = TraceState::run(&state, human_readable, &mut pass);
    TraceState::probe(&state, human_readable, &mut pass);
    let state = state.into_inner();
    let lenience = state.lenience();
    (state.into_shape(incomplete), lenience)
}

/// Makes up one value of `T`.
fn pass<T: DeserializeOwned>(
    state: &RefCell<TraceState>,
    human_readable: bool,
    look: impl FnOnce(&T),
) -> Result<(), Failure> {
    let trace = Tracing { state, spot: Spot::ROOT, human_readable };
    let make = || trace.part(TracePlace::Root, T::deserialize).map(|value| look(&value));
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(TraceError(words))) => Err(Failure { words, panicked: false }),
        Err(_) => Err(Failure { words: panics(type_name::<T>()), panicked: true }),
    }
}

/// Returns the words for a type whose code panics, without the paths in its name: these may differ
/// between two programs.
fn panics(name: &str) -> String {
    let is_end = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    let parts = name.split_inclusive(is_end).filter_map(|part| part.rsplit("::").next());
    format!("`{}` panics", parts.collect::<String>())
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
    if tracer.lenience.is_some() {
        return probe_value::<T>(tracer);
    }
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

/// What is known of how the types of this process read structs with other fields.
type ProbedTypes = HashMap<(TypeId, Codec), Arc<(Shape, Lenience)>>;

/// Reports how a `T` reads structs with other fields. A process probes it once for each codec.
fn probe_value<T: Wire>(tracer: &mut Tracer) {
    static KNOWN: LazyLock<Mutex<ProbedTypes>> = LazyLock::new(Mutex::default);
    let key = (TypeId::of::<T>(), tracer.codec);
    let known = lock(&KNOWN).get(&key).cloned();
    // Probed without the lock, as a type is traced without it.
    let probed = known.unwrap_or_else(|| {
        let probed = Arc::new(lenience_of::<T>(tracer.codec.is_human_readable()));
        lock(&KNOWN).insert(key, Arc::clone(&probed));
        probed
    });
    let (shape, lenience) = (*probed).clone();
    (tracer.shape, tracer.lenience) = (shape, Some(lenience));
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
