//! The command `witrpc`: looks into running servers, calls their methods and watches their events.

#![forbid(unsafe_code)]

mod args;
mod call;
mod clean;
mod describe;
mod diff;
mod doctor;
mod failure;
mod list;
mod output;
mod ping;
mod reach;
mod slow_reasons;
mod stats;
mod waiting;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            let code = if error.use_stderr() { failure::MISUSE } else { 0 };
            return ExitCode::from(code);
        }
    };
    match run(args.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(list) => list::run(&list),
        Command::Describe(describe) => describe::run(&describe),
        Command::Call(call) => call::run(&call),
        Command::Watch(watch) => call::watch(&watch),
        Command::Stats(stats) => stats::run(&stats),
        Command::Ping(ping) => ping::run(&ping),
        Command::Diff(diff) => diff::run(&diff),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Clean(clean) => clean::run(&clean),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "witrpc", &mut script);
            output::write(&String::from_utf8_lossy(&script))
        }
    }
}
