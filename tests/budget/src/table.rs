//! What is printed for people.

use std::collections::BTreeMap;

use crate::budget::{Budget, Entry, Functions, sum};
use crate::calls::ROWS;
use crate::measure::Side;

/// Prints a line for each row that was counted.
pub(crate) fn print(
    budget: &Budget,
    counts: &BTreeMap<(&str, Side), Functions>,
) -> Result<(), String> {
    println!("{:14}{:>32}{:>34}", "", "client", "server");
    print!("{:14}", "row");
    Side::BOTH.iter().for_each(|_| print!("{:>10} {:>10} {:>10}  ", "counted", "budget", "change"));
    println!();
    let mut all_gated = true;
    for row in ROWS.iter().filter(|row| counts.contains_key(&(**row, Side::Client))) {
        print!("{row:14}");
        for side in Side::BOTH {
            let (entry, functions) = (budget.entry(row, side)?, &counts[&(*row, side)]);
            let (counted, percent) = (sum(functions), 100.0 * entry.growth(functions));
            let mark = if entry.gated { ' ' } else { '*' };
            print!("{counted:>10.1} {:>10.1} {percent:>+8.1} %{mark} ", entry.instructions);
            all_gated &= entry.gated;
        }
        println!();
    }
    if !all_gated {
        println!("* only reported: runs differ");
    }
    Ok(())
}

/// Names the functions that make a row exceed its budget.
pub(crate) fn explain(row: &str, side: Side, entry: &Entry, functions: &Functions) {
    let (counted, percent) = (sum(functions), 100.0 * entry.growth(functions));
    let budget = entry.instructions;
    println!(
        "\n{row}, {side}: {counted:.1} instructions, {percent:+.1} % above the budget {budget:.1}"
    );
    for change in entry.changes(functions) {
        println!("{change}");
    }
}
