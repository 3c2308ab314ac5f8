//! The budget: a file of the repository with the instructions of each row, by side and function.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::measure::Side;

/// The growth of a gated row that is not an error yet.
const TOLERANCE: f64 = 0.03;

/// A row is gated if its runs differ by less.
const AGREEMENT: f64 = 0.01;

/// Functions that execute less in a call are not listed in the budget.
const LEAST: f64 = 1.0;

/// As many functions are named as the reason of a growth.
const NAMED: usize = 8;

/// Instructions of one call, by function.
pub(crate) type Functions = BTreeMap<String, f64>;

/// The whole file. Rows and sides are its tables.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Budget {
    /// The compiler whose code was counted: another one's code has other counts.
    pub(crate) compiler: String,
    pub(crate) rows: BTreeMap<String, BTreeMap<String, Entry>>,
}

impl Budget {
    /// The budget of one side of a row.
    pub(crate) fn entry(&self, row: &str, side: Side) -> Result<&Entry, String> {
        let entry = self.rows.get(row).and_then(|sides| sides.get(&side.to_string()));
        entry.ok_or_else(|| {
            format!("the budget lacks the row {row}, {side}: make it anew (--write)")
        })
    }
}

/// What one side of a row may execute in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) instructions: f64,
    /// Whether a growth is an error. Where runs differ, it is only reported.
    pub(crate) gated: bool,
    pub(crate) functions: Functions,
}

impl Entry {
    /// The budget that follows from some runs: the one that waited least.
    pub(crate) fn of(runs: &[Functions]) -> Option<Self> {
        let best = least(runs)?;
        let most = runs.iter().map(sum).fold(0.0, f64::max);
        let gated = most <= sum(best) * (1.0 + AGREEMENT);
        let listed = best.iter().filter(|(_, count)| **count >= LEAST);
        let functions = listed.map(|(name, count)| (name.clone(), rounded(*count))).collect();
        Some(Self { instructions: rounded(sum(best)), gated, functions })
    }

    /// By how much, as a ratio, a count is larger than this.
    pub(crate) fn growth(&self, functions: &Functions) -> f64 {
        sum(functions) / self.instructions - 1.0
    }

    /// Whether a count is too large.
    pub(crate) fn is_exceeded_by(&self, functions: &Functions) -> bool {
        self.gated && self.growth(functions) > TOLERANCE
    }

    /// The functions whose counts differ most, the largest growth first.
    pub(crate) fn changes(&self, functions: &Functions) -> Vec<Change> {
        let names: BTreeSet<_> = self.functions.keys().chain(functions.keys()).collect();
        let change = |name: &String| {
            let of = |counts: &Functions| counts.get(name).copied().unwrap_or_default();
            Change { name: name.clone(), before: of(&self.functions), now: of(functions) }
        };
        let mut changes: Vec<_> = names.into_iter().map(change).collect();
        changes.retain(|change| change.by().abs() >= LEAST);
        changes.sort_by(|a, b| b.by().abs().total_cmp(&a.by().abs()));
        changes.truncate(NAMED);
        changes.sort_by(|a, b| b.by().total_cmp(&a.by()));
        changes
    }
}

/// What became of one function.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) before: f64,
    pub(crate) now: f64,
}

impl Change {
    fn by(&self) -> f64 {
        self.now - self.before
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, before, now } = self;
        write!(f, "{:+8.1}  {name} ({before:.1} -> {now:.1})", self.by())
    }
}

/// The run that waited least: waiting only adds instructions.
pub(crate) fn least(runs: &[Functions]) -> Option<&Functions> {
    runs.iter().min_by(|a, b| sum(a).total_cmp(&sum(b)))
}

pub(crate) fn sum(functions: &Functions) -> f64 {
    functions.values().sum()
}

fn rounded(count: f64) -> f64 {
    (count * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(counts: &[(&str, f64)]) -> Functions {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_growth_is_found_and_names_the_function() {
        let entry = Entry::of(&[run(&[("send", 500.0), ("receive", 500.0)])]).unwrap();
        let grown = run(&[("send", 500.0), ("receive", 490.0), ("copy", 0.4), ("look", 45.0)]);
        assert!(entry.is_exceeded_by(&grown));
        let changes = entry.changes(&grown);
        assert_eq!(changes[0], Change { name: "look".to_owned(), before: 0.0, now: 45.0 });
        assert_eq!(changes[1], Change { name: "receive".to_owned(), before: 500.0, now: 490.0 });
        assert_eq!(changes.len(), 2);
    }

    #[test]
    fn what_grows_within_the_tolerance_or_shrinks_is_no_error() {
        let entry = Entry::of(&[run(&[("send", 1000.0)])]).unwrap();
        assert!(!entry.is_exceeded_by(&run(&[("send", 1029.0)])));
        assert!(entry.is_exceeded_by(&run(&[("send", 1031.0)])));
        assert!(!entry.is_exceeded_by(&run(&[("send", 10.0)])));
    }

    #[test]
    fn a_row_whose_runs_differ_is_not_gated() {
        let agreeing = [run(&[("send", 1010.0)]), run(&[("send", 1000.0)])];
        let entry = Entry::of(&agreeing).unwrap();
        assert!(entry.gated);
        assert_eq!(entry.instructions, 1000.0);
        let differing = [run(&[("send", 1000.0)]), run(&[("send", 1011.0)])];
        let entry = Entry::of(&differing).unwrap();
        assert!(!entry.gated);
        assert!(!entry.is_exceeded_by(&run(&[("send", 9999.0)])));
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let entry = Entry::of(&[run(&[("<a::B<&str> as \"c\">::d::{{closure}}", 12.34)])]).unwrap();
        let sides = BTreeMap::from([("client".to_owned(), entry)]);
        let rows = BTreeMap::from([("add".to_owned(), sides)]);
        let budget = Budget { compiler: "rustc 1.0".to_owned(), rows };
        let text = toml::to_string(&budget).unwrap();
        assert_eq!(toml::from_str::<Budget>(&text).unwrap(), budget);
    }
}
