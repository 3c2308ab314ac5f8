//! Counts the instructions of a call on both sides, and compares them with `budget.toml`.
//!
//! Instructions do not depend on the load of the machine, except for those of waiting. So one side
//! runs under callgrind, some fifty times slower than natively, and its peer runs natively: what the
//! slow side waits for is there when it looks. Where the machine lets the peer stand still, the slow
//! side does wait. Therefore callgrind writes a profile for each of many short blocks of calls, and
//! the block with the fewest instructions counts, in which it waited least.

#![forbid(unsafe_code)]

mod budget;
mod calls;
mod marks;
mod measure;
mod profile;
mod service;
mod table;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::process::ExitCode;

use budget::{Budget, Entry, Functions};
use measure::Side;

/// The compiler of this program, and of the library in it.
const COMPILER: &str = env!("COMPILER");

/// The file of the budget.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.toml");

/// What stands above it.
const HEADER: &str = "\
# Instructions of a call, by row, side and function, in the release build by this compiler.
# Written by `cargo run --release -p witrpc-tests-budget -- --write`.
";

const HELP: &str = "\
Counts the instructions of a call on both sides.

usage: cargo run --release -p witrpc-tests-budget -- [--check] [ROW ...]
       cargo run --release -p witrpc-tests-budget -- --write [ROW ...]

  --check  fails if a row exceeds its budget in each of five runs
  --write  makes the budget anew, from five runs of each row
  ROW      counts only this row, or makes only its budget anew
  --help   prints this";

/// Runs from which a budget is made, and after which a row is found to exceed it.
const RUNS: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("witrpc-tests-budget: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--help"] => println!("{HELP}"),
        ["--serve", name, row] => {
            let _server = service::serve(name, row)?;
            println!("{}", measure::READY);
            // Ends with the process that counts, however that ends.
            std::io::stdin().read_to_end(&mut Vec::new())?;
        }
        ["--call", name, row] => calls::make(row, name)?,
        ["--write", rows @ ..] => write(rows)?,
        ["--check", rows @ ..] => return compare(rows, true),
        rows => return compare(rows, false),
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the file anew, or these rows of it.
fn write(rows: &[&str]) -> Result<(), Box<dyn Error>> {
    check_names(rows)?;
    measure::require_valgrind()?;
    let mut budget = if rows.is_empty() { Budget::default() } else { read()? };
    if !rows.is_empty() && budget.compiler != COMPILER {
        return Err(
            format!("the other rows are of {}: make all of them anew", budget.compiler).into()
        );
    }
    COMPILER.clone_into(&mut budget.compiler);
    for row in chosen(rows) {
        let sides = budget.rows.entry(row.to_owned()).or_default();
        for side in Side::BOTH {
            let runs = count(row, side, RUNS, |_| false)?;
            let entry = Entry::of(&runs).ok_or("there was no run")?;
            if !entry.gated {
                eprintln!("{row}, {side}: not gated, as these runs differ");
            }
            sides.insert(side.to_string(), entry);
        }
    }
    std::fs::write(FILE, format!("{HEADER}\n{}", toml::to_string(&budget)?))?;
    println!("wrote {FILE}");
    Ok(())
}

/// Reads the file.
fn read() -> Result<Budget, String> {
    let budget = std::fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    toml::from_str(&budget).map_err(|error| format!("{FILE}: {error}"))
}

fn check_names(rows: &[&str]) -> Result<(), String> {
    match rows.iter().find(|row| !calls::ROWS.contains(row)) {
        Some(unknown) => {
            Err(format!("there is no row {unknown}: rows are {:?}\n\n{HELP}", calls::ROWS))
        }
        None => Ok(()),
    }
}

/// The rows of these names, or all of them.
fn chosen<'a>(rows: &'a [&str]) -> impl Iterator<Item = &'static str> + 'a {
    calls::ROWS.into_iter().filter(|row| rows.is_empty() || rows.contains(row))
}

/// Prints the table, and what is wrong with it.
fn compare(rows: &[&str], check: bool) -> Result<ExitCode, Box<dyn Error>> {
    check_names(rows)?;
    measure::require_valgrind()?;
    let budget = read()?;
    let binding = budget.compiler == COMPILER;
    let mut counts = BTreeMap::new();
    let mut exceeded = Vec::new();
    for row in chosen(rows) {
        for side in Side::BOTH {
            let entry = budget.entry(row, side)?;
            let runs = if check && binding { RUNS } else { 1 };
            let counted = count(row, side, runs, |counted| !entry.is_exceeded_by(counted))?;
            let counted = budget::least(&counted).ok_or("there was no run")?.clone();
            if binding && entry.is_exceeded_by(&counted) {
                exceeded.push((row, side));
            }
            counts.insert((row, side), counted);
        }
    }
    table::print(&budget, &counts)?;
    if !binding {
        let budgeted = &budget.compiler;
        println!("\nThe budget is of {budgeted}, this program of {COMPILER}: nothing is compared.");
    }
    for (row, side) in &exceeded {
        table::explain(row, *side, budget.entry(row, *side)?, &counts[&(*row, *side)]);
    }
    if exceeded.is_empty() || !check {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "\nMake it smaller, or say in the commit why it has grown, and move the budget: --write"
    );
    Ok(ExitCode::FAILURE)
}

/// Counts the instructions of a call, in up to `runs` runs, until one is `enough`.
fn count(
    row: &str,
    side: Side,
    runs: usize,
    enough: impl Fn(&Functions) -> bool,
) -> Result<Vec<Functions>, Box<dyn Error>> {
    eprint!("{row}, {side}:");
    let mut counts = Vec::new();
    while counts.len() < runs {
        let counted = measure::run(row, side)?;
        eprint!(" {:.1}", budget::sum(&counted));
        let is_enough = enough(&counted);
        counts.push(counted);
        if is_enough {
            break;
        }
    }
    eprintln!();
    Ok(counts)
}
