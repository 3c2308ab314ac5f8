//! Known violations of the rules that are still to be mended.

use std::collections::BTreeSet;

const KNOWN: &str = include_str!("known.txt");

/// Fails unless `found` is what `known.txt` lists under the rule. Each finding is a line, and may
/// have more lines after it that say where.
pub(crate) fn compare(rule: &str, found: Vec<String>) {
    let known: BTreeSet<_> = listed(rule).collect();
    let new: Vec<_> = found.iter().filter(|each| !known.contains(first_line(each))).collect();
    let found: BTreeSet<_> = found.iter().map(|each| first_line(each)).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    let new_words: String = new.iter().map(|each| format!("\n{each}")).collect();
    let gone_words: String = gone.iter().map(|each| format!("\n{each}")).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "[{rule}] finds {} new:{new_words}\nno longer finds {}, to be taken out of known.txt:{gone_words}",
        new.len(),
        gone.len(),
    );
}

fn first_line(finding: &str) -> &str {
    finding.lines().next().unwrap_or_default()
}

/// The lines under `[rule]`.
fn listed(rule: &str) -> impl Iterator<Item = &'static str> {
    let heading = format!("[{rule}]");
    KNOWN
        .lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}
