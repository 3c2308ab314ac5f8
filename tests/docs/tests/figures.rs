//! The figures that documents show are those of `docs/comparison.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A figure that documents may show.
struct Figure {
    label: &'static str,
    section: &'static str,
    column: &'static str,
    /// The rows of the comparison, of libraries whose row has another name. An empty name is no row.
    rows: &'static [(&'static str, &'static str)],
}

const FIGURES: &[Figure] = &[
    figure("A call, polled", "A call, polled", "p50"),
    figure("A call, parked", "A call, parked", "p50"),
    figure("64 calls in flight, a call", "64 calls in flight", "a call")
        .of(&[("WitRPC", "WitRPC, async")]),
    figure("Calls a second, 1 client", "Throughput", "1 client")
        .of(&[("iceoryx2", "iceoryx2, polled")]),
    figure("Calls a second, 32 clients", "Throughput", "32 clients")
        .of(&[("iceoryx2", "iceoryx2, parked")]),
    figure("Worst stall, 8 clients", "Worst stall", "8 clients")
        .of(&[("iceoryx2", "iceoryx2, polled")]),
    figure("A call with 64 B", "A call with a message", "64 B"),
    figure("A call with 32 KiB", "A call with a message", "32 KiB"),
    figure("A call with 2 MiB", "A call with a message", "2 MiB"),
    figure("A call with 2 MiB, lent", "A call with a message", "2 MiB").of(&[
        ("WitRPC", "WitRPC, lent"),
        ("floor", ""),
        ("ipc-channel", ""),
        ("Unix socket", ""),
        ("tarpc", ""),
        ("tonic", ""),
    ]),
    figure("Processor time of a call, parked", "Processor time of a call", "parked"),
];

const fn figure(label: &'static str, section: &'static str, column: &'static str) -> Figure {
    Figure { label, section, column, rows: &[] }
}

impl Figure {
    const fn of(self, rows: &'static [(&'static str, &'static str)]) -> Self {
        Self { rows, ..self }
    }

    /// Returns the row that a table with this head should have.
    fn row(&self, comparison: &str, head: &[&str]) -> String {
        let (columns, rows) = table(comparison, self.section);
        let column = columns.iter().position(|name| *name == self.column);
        let column = column.unwrap_or_else(|| panic!("{} has no {}", self.section, self.column));
        let value = |library: &&str| {
            let other_name = self.rows.iter().find(|(name, _)| name == library);
            let name = other_name.map_or(*library, |(_, row)| row);
            rows.get(name).map_or("–", |row| row[column])
        };
        let values: Vec<_> = head[1..].iter().map(value).collect();
        format!("| {} | {} |", self.label, values.join(" | "))
    }
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('*')).collect()
}

/// Returns the head of a section's table, and its rows by their first cell, which for a floor is that word.
fn table<'a>(document: &'a str, section: &str) -> (Vec<&'a str>, BTreeMap<&'a str, Vec<&'a str>>) {
    let (_, text) = document
        .split_once(&format!("\n## {section}\n"))
        .unwrap_or_else(|| panic!("the comparison has no section {section:?}"));
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    let mut rows = text.lines().filter(|line| line.starts_with('|')).map(cells);
    let head = rows.next().expect("a table has a head");
    let named = |row: Vec<&'a str>| (row[0].split(':').next().unwrap_or_default(), row);
    (head, rows.map(named).collect())
}

/// Compares a document's table of figures with the comparison. What differs is printed as it should be.
fn compare(document: &str, head: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("it is there");
    let (text, comparison) = (read(document), read("docs/comparison.md"));
    let (_, rows) = text.split_once(&format!("{head}\n")).expect("a table has this head");
    let rows: Vec<_> = rows.lines().take_while(|line| line.starts_with('|')).skip(1).collect();
    assert!(rows.len() > 3, "{document} has figures");
    let expected = rows.iter().map(|row| {
        let label = cells(row)[0];
        let figure = FIGURES.iter().find(|figure| figure.label == label);
        figure.unwrap_or_else(|| panic!("no figure is {label:?}")).row(&comparison, &cells(head))
    });
    let expected: Vec<_> = expected.collect();
    assert!(rows == expected, "{document} should have these rows:\n{}\n", expected.join("\n"));
}

#[test]
fn the_readme_has_the_figures_of_the_comparison() {
    compare("README.md", "| Median | floor | WitRPC | iceoryx2 | Unix socket | tarpc |");
}

#[test]
fn the_page_beside_other_libraries_has_the_figures_of_the_comparison() {
    let head = "| Figure | floor | WitRPC | iceoryx2 | ipc-channel | Unix socket | tarpc | tonic |";
    compare("docs/comparing.md", head);
}
