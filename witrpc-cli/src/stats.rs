//! `witrpc stats`.

use std::io::{IsTerminal, stdout};
use std::thread;
use std::time::Duration;

use serde_json::json;
use witrpc::dynamic::DynamicClient;
use witrpc::{MethodMetrics, Metrics};

use crate::args::Stats;
use crate::failure::Failure;
use crate::output;
use crate::reach;

/// What is known of the methods, or why nothing is.
enum ByMethod {
    Told(Vec<MethodMetrics>),
    Not(String),
}

pub fn run(stats: &Stats) -> Result<(), Failure> {
    let endpoint = reach::endpoint(&stats.name, &stats.access.place);
    let metrics = endpoint.metrics()?;
    // Totals are for every process of the user; what is by method, for clients that are let in.
    let client = reach::connect(&stats.name, &stats.access);
    write(stats, &metrics, &by_method(client.as_ref()))?;
    let Some(pause) = stats.watch else { return Ok(()) };
    loop {
        thread::sleep(pause);
        let metrics = endpoint.metrics()?;
        if stdout().is_terminal() && !stats.json {
            output::write("\x1b[H\x1b[2J")?;
        }
        write(stats, &metrics, &by_method(client.as_ref()))?;
    }
}

fn by_method(client: Result<&DynamicClient, &Failure>) -> ByMethod {
    let told = match client {
        Ok(client) => client.method_metrics(),
        Err(Failure::NotRun(why)) => return ByMethod::Not(why.clone()),
        Err(_) => return ByMethod::Not("the server does not let this command in".to_owned()),
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

fn write(stats: &Stats, metrics: &Metrics, methods: &ByMethod) -> Result<(), Failure> {
    if stats.json { write_json(metrics, methods) } else { write_tables(metrics, methods) }
}

fn write_json(metrics: &Metrics, methods: &ByMethod) -> Result<(), Failure> {
    let nanos = |time: Option<Duration>| time.map(|time| time.as_nanos() as u64);
    let methods = match methods {
        ByMethod::Told(methods) => Some(methods.iter().map(|it| {
            json!({
                "service": it.service, "method": it.method, "calls": it.calls, "errors": it.errors,
                "p50_ns": nanos(it.latency.quantile(0.5)), "p99_ns": nanos(it.latency.quantile(0.99)),
            })
        })),
        ByMethod::Not(_) => None,
    };
    let mut all = serde_json::to_value(metrics).map_err(Failure::not_run)?;
    all["methods"] = methods.map(Iterator::collect::<Vec<_>>).into();
    output::line(all)
}

fn write_tables(metrics: &Metrics, methods: &ByMethod) -> Result<(), Failure> {
    let mut totals = output::table(&[
        "CALLS",
        "ERRORS",
        "IN FLIGHT",
        "CLIENTS",
        "MEMORY",
        "WORKERS",
        "PARKED",
        "BYTES IN",
        "BYTES OUT",
    ]);
    totals.add_row([
        metrics.calls.to_string(),
        metrics.errors.to_string(),
        metrics.in_flight.to_string(),
        metrics.connected_clients.to_string(),
        bytes(metrics.reserved_memory),
        metrics.workers.to_string(),
        metrics.parked_workers.to_string(),
        bytes(metrics.bytes_in),
        bytes(metrics.bytes_out),
    ]);
    output::write_table(&totals)?;
    output::write("\n")?;
    match methods {
        ByMethod::Not(why) => {
            output::line(output::on_stdout(output::DIM, format!("by method: {why}")))
        }
        ByMethod::Told(methods) => {
            let mut table = output::table(&["METHOD", "CALLS", "ERRORS", "P50", "P99"]);
            for MethodMetrics { service, method, calls, errors, latency, .. } in methods {
                table.add_row([
                    output::printable(&format!("{service}.{method}")),
                    calls.to_string(),
                    errors.to_string(),
                    time(latency.quantile(0.5)),
                    time(latency.quantile(0.99)),
                ]);
            }
            output::write_table(&table)
        }
    }
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
