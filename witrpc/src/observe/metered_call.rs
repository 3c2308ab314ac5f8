//! A call that is counted by method when it is answered, by any thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counters::CounterRegistry;
use super::hooks::ServedEnd;

/// The meters of all methods of a server that may be answered late.
#[derive(Clone)]
pub struct LateMeters {
    pub registry: Arc<CounterRegistry>,
    /// How many methods the server has.
    pub methods: usize,
}

/// A call of the method at a place, until it is answered.
pub struct MeteredCall {
    meters: LateMeters,
    place: usize,
    /// Set if it is timed.
    began: Option<Instant>,
}

impl LateMeters {
    /// Notes that a call of the method at that place begins, and returns whether it is to be timed.
    pub fn wants_time(&self, place: usize) -> bool {
        self.registry.late_methods().of(place, self.methods).late_wants_time()
    }

    /// Counts a call that has ended.
    pub fn count(&self, place: usize, end: ServedEnd, took: Option<Duration>) {
        let is_error = !matches!(end, ServedEnd::Ok | ServedEnd::Unheard);
        self.registry.late_methods().of(place, self.methods).count_late(is_error, took);
    }

    /// Returns a call of the method at that place.
    pub fn call(&self, place: usize, began: Option<Instant>) -> MeteredCall {
        MeteredCall { meters: self.clone(), place, began }
    }
}

impl MeteredCall {
    /// Counts the call: it has ended.
    pub fn ended(&self, end: ServedEnd) {
        self.meters.count(self.place, end, self.began.map(|began| began.elapsed()));
    }
}
