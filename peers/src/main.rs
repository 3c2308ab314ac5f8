//! WitRPC beside its peers: the same work through each, in turns, in one run.
//!
//! Writes `docs/comparison.md` and `docs/comparison.svg`, or what `--out` says.

mod floor;
mod iceoryx2;
mod ipc_channel;
mod measure;
mod on_tokio;
mod options;
mod peer;
mod report;
mod server;
mod socket;
mod support;
mod tarpc;
mod tonic;
mod witrpc;

use std::fs;
use std::path::Path;

use measure::Effort;
use options::Options;
use peer::Wait;
use report::machine::Machine;
use report::plot::Plotted;
use report::{document, plot, verdict};

const DOCUMENT: &str = "comparison.md";
const PLOT: &str = "comparison.svg";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    server::run_if_asked(&args);
    let options = Options::from_args(&args);
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let machine = Machine::now();

    let polled = measure::latency(effort, Wait::Polled);
    let parked = measure::latency(effort, Wait::Parked);
    let in_flight = measure::in_flight(effort);
    let payload = measure::payload(effort);
    let [clients, stalls] = measure::clients(effort);
    let [cpu, idle] = measure::cpu_time(effort);
    iceoryx2::remove_remains();

    let out = Path::new(&options.out);
    fs::create_dir_all(out)?;
    let plotted =
        Plotted { polled: &polled, parked: &parked, clients: &clients, payload: &payload };
    plot::plot(&out.join(PLOT), &plotted)?;
    let goals = verdict::goals(&polled);
    let tables = [polled, parked, in_flight, clients, stalls, payload, cpu, idle];
    fs::write(out.join(DOCUMENT), document::document(&machine, &tables, &goals, PLOT))?;
    println!("{}", out.join(DOCUMENT).display());
    Ok(())
}
