//! `witrpc stats`.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use witrpc::dynamic::DynamicClient;
use witrpc::{LatencyHistogram, MethodMetrics, Metrics};

use crate::args::Stats;
use crate::failure;
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::waiting::Waiting;

/// The lines around those of the methods: totals, a blank line, headings, what is left out, and the cursor. On a
/// narrow terminal, the totals take two more.
const LINES_AROUND: usize = 8;

/// What a server has told at one time.
struct StatsSample {
    metrics: Metrics,
    methods: ByMethod,
    at: Instant,
}

/// What is known of the methods, or why nothing is.
enum ByMethod {
    Told(Vec<MethodMetrics>),
    Not(String),
}

pub fn run(stats: &Stats) -> Result<(), Failure> {
    let access = &stats.access;
    let endpoint = reach::endpoint(&stats.name, &access.place, access.timeout);
    let builder = reach::builder(&stats.name, access)?;
    let waiting = Waiting::begin(format!("the server {:?}", stats.name));
    let metrics = endpoint.metrics()?;
    // Totals are for every process of the user; what is by method, for clients that are let in.
    let client = builder.connect().map_err(|error| failure::said(&error));
    let mut seen = StatsSample { metrics, methods: by_method(client.as_ref()), at: Instant::now() };
    drop(waiting);
    write(stats, &seen, None)?;
    let Some(pause) = stats.watch else { return Ok(()) };
    loop {
        thread::sleep(pause);
        let waiting = Waiting::begin(format!("the server {:?}", stats.name));
        let metrics = endpoint.metrics()?;
        let now = StatsSample { metrics, methods: by_method(client.as_ref()), at: Instant::now() };
        drop(waiting);
        if !stats.json {
            output::clear()?;
        }
        write(stats, &now, Some(&seen))?;
        seen = now;
    }
}

fn by_method(client: Result<&DynamicClient, &String>) -> ByMethod {
    let told = match client {
        Ok(client) => client.method_metrics(),
        Err(why) => return ByMethod::Not(why.clone()),
    };
    match told {
        Ok(Some(methods)) => ByMethod::Told(methods),
        Ok(None) => ByMethod::Not(
            "the server does not count by method: see `WitServerBuilder::method_metrics`"
                .to_owned(),
        ),
        Err(error) => ByMethod::Not(error.to_string()),
    }
}

/// Writes what was seen now, beside what was seen before if there is any.
fn write(stats: &Stats, now: &StatsSample, before: Option<&StatsSample>) -> Result<(), Failure> {
    if stats.json { write_json(now, before) } else { write_tables(now, before) }
}

/// Returns how many calls a second were answered in between.
fn rate(now: u64, before: u64, time: Duration) -> f64 {
    // A server that has begun anew has fewer.
    now.checked_sub(before).unwrap_or(now) as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// Returns what was seen of a method before.
fn earlier<'s>(
    method: &MethodMetrics,
    before: Option<&'s StatsSample>,
) -> Option<&'s MethodMetrics> {
    let ByMethod::Told(methods) = &before?.methods else { return None };
    methods.iter().find(|it| it.service == method.service && it.method == method.method)
}

/// Returns the latencies of the calls in between, or of all if nothing was seen before.
fn latency(method: &MethodMetrics, before: Option<&StatsSample>) -> LatencyHistogram {
    match earlier(method, before) {
        Some(earlier) => method.latency.since(&earlier.latency),
        None => method.latency.clone(),
    }
}

fn write_json(now: &StatsSample, before: Option<&StatsSample>) -> Result<(), Failure> {
    let nanos = |time: Option<Duration>| time.map(|time| time.as_nanos() as u64);
    let methods = match &now.methods {
        ByMethod::Told(methods) => Some(methods.iter().map(|it| {
            let latency = latency(it, before);
            json!({
                "service": it.service, "method": it.method, "calls": it.calls, "errors": it.errors,
                "p50_ns": nanos(latency.quantile(0.5)), "p99_ns": nanos(latency.quantile(0.99)),
            })
        })),
        ByMethod::Not(_) => None,
    };
    let mut all = serde_json::to_value(now.metrics).map_err(Failure::not_run)?;
    all["methods"] = methods.map(Iterator::collect::<Vec<_>>).into();
    if let Some(before) = before {
        let rate = rate(now.metrics.calls, before.metrics.calls, now.at - before.at);
        all["calls_per_second"] = rate.into();
    }
    output::line(all)
}

fn write_tables(now: &StatsSample, before: Option<&StatsSample>) -> Result<(), Failure> {
    let StatsSample { metrics, methods, at } = now;
    let figures = [
        ("CALLS", metrics.calls.to_string()),
        ("ERRORS", metrics.errors.to_string()),
        ("IN FLIGHT", metrics.in_flight.to_string()),
        ("CLIENTS", metrics.connected_clients.to_string()),
        ("MEMORY", bytes(metrics.reserved_memory)),
        ("WORKERS", metrics.workers.to_string()),
        ("PARKED", metrics.parked_workers.to_string()),
        ("BYTES IN", bytes(metrics.bytes_in)),
        ("BYTES OUT", bytes(metrics.bytes_out)),
    ];
    let per_second = before.map(|before| {
        let rate = rate(metrics.calls, before.metrics.calls, *at - before.at);
        ("CALLS/S", format!("{rate:.1}"))
    });
    let (headings, figures): (Vec<_>, Vec<_>) = figures.into_iter().chain(per_second).unzip();
    let mut totals = output::table(&headings);
    totals.add_row(figures);
    output::write_table(&totals)?;
    output::write("\n")?;
    match methods {
        ByMethod::Not(why) => {
            let why = output::printable(&format!("by method: {why}"));
            output::line(output::on_stdout(output::DIM, why))
        }
        ByMethod::Told(methods) => write_methods(methods, *at, before),
    }
}

fn write_methods(
    methods: &[MethodMetrics],
    at: Instant,
    before: Option<&StatsSample>,
) -> Result<(), Failure> {
    let headings = ["METHOD", "CALLS", "ERRORS", "P50", "P99", "CALLS/S"];
    let shown = headings.len() - usize::from(before.is_none());
    let mut table = output::table(&headings[..shown]);
    let (methods, left_out) = fitting(methods, before);
    for method in methods {
        let latency = latency(method, before);
        let mut row = vec![
            output::printable(&format!("{}.{}", method.service, method.method)),
            method.calls.to_string(),
            method.errors.to_string(),
            time(latency.quantile(0.5)),
            time(latency.quantile(0.99)),
        ];
        if let Some(before) = before {
            let calls = earlier(method, Some(before)).map_or(0, |earlier| earlier.calls);
            row.push(format!("{:.1}", rate(method.calls, calls, at - before.at)));
        }
        table.add_row(row);
    }
    output::write_table(&table)?;
    match left_out {
        0 => Ok(()),
        _ => output::line(output::on_stdout(
            output::DIM,
            format!("and {left_out} more that were called less"),
        )),
    }
}

/// Returns the methods in the server's order. Where the picture is drawn again and again on a terminal that is
/// too low for all of them, those that were called most come first, and as many as fit; and how many are left out.
fn fitting<'m>(
    methods: &'m [MethodMetrics],
    before: Option<&StatsSample>,
) -> (Vec<&'m MethodMetrics>, usize) {
    let mut all: Vec<_> = methods.iter().collect();
    let Some(height) = before.and_then(|_| output::height()) else { return (all, 0) };
    let fit = height.saturating_sub(LINES_AROUND).max(1);
    if all.len() <= fit {
        return (all, 0);
    }
    all.sort_by_key(|method| {
        let calls = earlier(method, before).map_or(0, |earlier| earlier.calls);
        std::cmp::Reverse((method.calls.saturating_sub(calls), method.calls))
    });
    let left_out = all.len() - fit;
    all.truncate(fit);
    (all, left_out)
}

/// Returns a time with three digits; a dash for none.
pub fn time(time: Option<Duration>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    match time.as_nanos() {
        nanos @ 0..1_000 => format!("{nanos} ns"),
        nanos @ 1_000..1_000_000 => format!("{:.3} µs", nanos as f64 / 1e3),
        nanos @ 1_000_000..1_000_000_000 => format!("{:.3} ms", nanos as f64 / 1e6),
        nanos => format!("{:.3} s", nanos as f64 / 1e9),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
