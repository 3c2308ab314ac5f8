//! A dispatcher that also counts by method. A server without such metrics does not have it, and pays nothing.
//!
//! A call whose handler returns its answer is counted around its dispatch, by what it has added to the
//! counters of the thread. A call that may be answered later, by any thread, is counted by a hook.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{Peer, Request, ShortAnswer, ShortRequest};

use crate::contract::{ArgumentKind, MethodDescriptor, ServiceDescriptor};
use crate::observe::counters::{CounterRegistry, ThreadCounters};
use crate::observe::hooks::{ServedCall, ServedEnd, ServerHook};
use crate::observe::method_meter::{MethodMetrics, MethodSum};
use crate::pool::{Handler, Pool};
use crate::tag::{Operation, RequestTag};

use super::dispatch::Dispatcher;

/// The methods of a server, numbered through all its services.
pub struct MethodTable {
    methods: Vec<TableEntry>,
    /// The place of each service's first method.
    first: Vec<usize>,
    by_name: HashMap<[&'static str; 2], usize>,
}

struct TableEntry {
    names: [&'static str; 2],
    /// Whether it may be answered after its dispatch.
    is_late: bool,
}

impl MethodTable {
    pub fn new(services: &[&'static ServiceDescriptor]) -> Self {
        let (mut methods, mut first) = (Vec::new(), Vec::new());
        for service in services {
            first.push(methods.len());
            methods.extend(service.methods.iter().map(|method| TableEntry {
                names: [service.name, method.name],
                is_late: is_late(method),
            }));
        }
        let by_name = methods.iter().enumerate().map(|(n, entry)| (entry.names, n)).collect();
        Self { methods, first, by_name }
    }

    /// Returns the place of the method that a request calls; `None` for any other request.
    fn place_of(&self, tag: u32) -> Option<usize> {
        let (service, method) = RequestTag::plain_call_of_bits(tag).or_else(|| {
            let tag = RequestTag::from_bits(tag)?;
            (tag.operation == Operation::Call).then_some((tag.service, tag.method))
        })?;
        let (service, method) = (usize::from(service), usize::from(method));
        let start = *self.first.get(service)?;
        let end = self.first.get(service + 1).copied().unwrap_or(self.methods.len());
        Some(start + method).filter(|place| *place < end)
    }

    /// Returns what has been counted of each method.
    pub fn metrics(&self, registry: &CounterRegistry) -> Vec<MethodMetrics> {
        let mut sums = registry.methods();
        sums.resize_with(self.methods.len(), MethodSum::default);
        let metrics = self.methods.iter().zip(sums).map(|(entry, sum)| {
            let [service, method] = entry.names.map(str::to_owned);
            let MethodSum { calls, errors, latency } = sum;
            MethodMetrics { service, method, calls, errors, latency }
        });
        metrics.collect()
    }
}

fn is_late(method: &MethodDescriptor) -> bool {
    let uploads = |kind| matches!(kind, ArgumentKind::Iterator | ArgumentKind::Stream);
    method.is_async || method.streams || method.arguments.iter().any(|it| uploads(it.kind))
}

/// A dispatcher for each of the two kinds of methods.
pub struct MeteredDispatcher {
    pub table: Arc<MethodTable>,
    pub at_once: Dispatcher,
    /// Has a [`LateMeter`] among its hooks.
    pub late: Dispatcher,
}

impl MeteredDispatcher {
    /// Counts a call of the method at that place, which `serve` answers.
    fn count(&self, counters: &ThreadCounters, place: usize, serve: impl FnOnce()) {
        let meter = counters.methods.of(place, self.table.methods.len());
        let before = counters.outcomes();
        let began = meter.wants_time().then(Instant::now);
        serve();
        let after = counters.outcomes();
        if after.answered != before.answered {
            meter.count_own(after.errors != before.errors, began.map(|began| began.elapsed()));
        }
    }
}

impl Handler for MeteredDispatcher {
    fn names(&self, tag: u32) -> Option<[&'static str; 2]> {
        Handler::names(&self.at_once, tag)
    }

    fn serve(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        match self.table.place_of(request.tag) {
            Some(place) if self.table.methods[place].is_late => {
                self.late.serve(pool, counters, peer, request, answer);
            }
            Some(place) => self.count(counters, place, || {
                self.at_once.serve(pool, counters, peer, request, answer);
            }),
            None => self.at_once.serve(pool, counters, peer, request, answer),
        }
    }

    fn serve_short(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        match self.table.place_of(request.tag) {
            Some(place) if self.table.methods[place].is_late => {
                self.late.serve_short(pool, counters, peer, request, answer);
            }
            Some(place) => self.count(counters, place, || {
                self.at_once.serve_short(pool, counters, peer, request, answer);
            }),
            None => self.at_once.serve_short(pool, counters, peer, request, answer),
        }
    }
}

/// The hook that counts calls which may be answered late.
pub struct LateMeter {
    pub table: Arc<MethodTable>,
    pub registry: Arc<CounterRegistry>,
}

#[diagnostic::do_not_recommend]
impl ServerHook for LateMeter {
    fn after(&self, call: &ServedCall<'_>, end: ServedEnd, _answer_len: usize) {
        let place = self.table.by_name.get(&[call.service, call.method]);
        let Some(&place) = place.filter(|place| self.table.methods[**place].is_late) else {
            return;
        };
        let meter = self.registry.late_methods().of(place, self.table.methods.len());
        let is_error = !matches!(end, ServedEnd::Ok | ServedEnd::Unheard);
        meter.count_late(is_error, call.duration);
    }

    fn wants_durations(&self) -> bool {
        true
    }
}
