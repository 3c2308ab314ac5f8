//! A dispatcher that also counts by method. A server without such metrics does not have it, and pays nothing.
//!
//! A call whose handler returns its answer is counted around its dispatch, by what it has added to the
//! counters of the thread. A call that may be answered later, by any thread, is counted by its observer. Where
//! the server has hooks, calls of that kind have them as observers, and one more of these counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{Peer, Request, ShortAnswer, ShortRequest};

use crate::call::server::call_observer::CallObserver;
use crate::contract::{ArgumentKind, MethodDescriptor, ServiceDescriptor};
use crate::observe::counters::{CounterRegistry, ThreadCounters};
use crate::observe::hooks::{ServedCall, ServedEnd, ServerHook};
use crate::observe::metered_call::LateMeters;
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
    table: Arc<MethodTable>,
    at_once: Dispatcher,
    late: Dispatcher,
    meters: LateMeters,
    /// The observers of late calls that are not timed, by the place of the method; `None` if `late` has a
    /// [`LateMeter`] among its hooks.
    untimed: Option<Vec<CallObserver>>,
}

impl MeteredDispatcher {
    /// Returns what dispatches methods of both kinds. `is_hooked` says whether `late` has a [`LateMeter`] among
    /// its hooks.
    pub fn new(
        table: Arc<MethodTable>,
        registry: Arc<CounterRegistry>,
        [at_once, late]: [Dispatcher; 2],
        is_hooked: bool,
    ) -> Self {
        let meters = LateMeters { registry, methods: table.methods.len() };
        let untimed =
            (0..meters.methods).map(|place| CallObserver::metered(meters.call(place, None)));
        let untimed = (!is_hooked).then(|| untimed.collect());
        Self { table, at_once, late, meters, untimed }
    }

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

    /// Gives the observer of a late call to what serves it.
    fn observe(&self, place: usize, serve: impl FnOnce(Option<&CallObserver>)) {
        match &self.untimed {
            None => serve(None),
            Some(_) if self.meters.wants_time(place) => {
                let call = self.meters.call(place, Some(Instant::now()));
                serve(Some(&CallObserver::metered(call)));
            }
            Some(untimed) => serve(Some(&untimed[place])),
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
                self.observe(place, |observer| {
                    self.late.serve_metered(observer, (pool, counters), peer, request, answer);
                });
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
                self.observe(place, |observer| {
                    let threads = (pool, counters);
                    self.late.serve_short_metered(observer, threads, peer, request, answer);
                });
            }
            Some(place) => self.count(counters, place, || {
                self.at_once.serve_short(pool, counters, peer, request, answer);
            }),
            None => self.at_once.serve_short(pool, counters, peer, request, answer),
        }
    }
}

/// The hook that counts calls which may be answered late, beside the user's hooks.
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
        let (registry, methods) = (Arc::clone(&self.registry), self.table.methods.len());
        LateMeters { registry, methods }.count(place, end, call.duration);
    }

    fn wants_durations(&self) -> bool {
        true
    }
}
