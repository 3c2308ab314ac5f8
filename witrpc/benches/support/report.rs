//! Figures on standard output: `name value unit`, or rows of a table.

use super::options::Options;

/// Prints figures as they are measured.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    table: bool,
}

impl Report {
    pub(crate) fn new(options: Options) -> Self {
        Self { table: options.table }
    }

    /// A figure that tells something and has no goal.
    pub(crate) fn figure(self, name: &str, value: f64, unit: &str) {
        let shown = show(value);
        if self.table {
            println!("| `{name}` | | {shown} {unit} | |");
        } else {
            println!("{name} {shown} {unit}");
        }
    }

    /// A figure that is to be at most `goal`.
    pub(crate) fn goal(self, name: &str, value: f64, unit: &str, goal: f64) {
        let shown = show(value);
        if self.table {
            // A figure that is not a number is missed too.
            let verdict = if value <= goal { "met" } else { "**missed**" };
            println!("| `{name}` | ≤ {} {unit} | {shown} {unit} | {verdict} |", show(goal));
        } else {
            println!("{name} {shown} {unit}");
        }
    }
}

/// Three significant digits, without an exponent.
fn show(value: f64) -> String {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let digits = usize::try_from(2 - magnitude).unwrap_or(0).min(6);
    let shown = format!("{value:.digits$}");
    if shown.contains('.') {
        shown.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        shown
    }
}
