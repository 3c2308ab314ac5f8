//! The tests that the threat model names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Returns what is in backticks in the last column of a table's row.
fn named_in(row: &str) -> impl Iterator<Item = &str> {
    let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    last.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = fs::read_to_string(root.join("docs/threat-model.md")).expect("it is there");
    let tables = model.split("\n## ").filter(|section| section.contains("| Shown by |"));
    let rows = tables.flat_map(str::lines).filter(|line| line.starts_with("| **"));
    let named: BTreeSet<_> = rows.flat_map(named_in).collect();
    assert!(named.len() > 40, "the tables are read as they are written: {named:?}");
    let mut files = Vec::new();
    for folder in
        ["witrpc", "witrpc-cli", "witrpc-mmf", "witrpc-macros", "witrpc-transport", "tests"]
    {
        sources(&root.join(folder), &mut files);
    }
    let code: String =
        files.iter().map(|file| fs::read_to_string(file).expect("it can be read")).collect();
    let missing: Vec<_> =
        named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no test has these names: {missing:#?}");
}
