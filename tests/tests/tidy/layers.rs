//! The layers of the crates' folders.

use std::collections::BTreeSet;

use super::graph::Graph;

/// The folders of `witrpc`, highest first. Those in one line are on one level, and import each other
/// only if [`RECURSION`] has them.
const WITRPC: [&[&str]; 15] = [
    &["lib"],
    &["guide", "worker", "__private"],
    &["endpoint"],
    &["server"],
    &["dynamic"],
    &["share"],
    &["connection", "call", "stream", "event"],
    &["method"],
    &["pool"],
    &["contract", "observe", "queue"],
    &["codec", "transport"],
    &["security", "tag"],
    &["backoff"],
    &["rt"],
    &["error"],
];

/// The folders of `witrpc-mmf`, highest first.
const MMF: [&[&str]; 10] = [
    &["lib"],
    &["seam", "fuzzing"],
    &["client", "server"],
    &["rendezvous"],
    &["link"],
    &["wakeup"],
    &["memory", "portable"],
    &["error"],
    &["name"],
    &["sys"],
];

/// The folders of one level that import each other, because neither can do without the other's types.
/// `ARCHITECTURE.md` gives the reason for each.
const RECURSION: [(&str, &[&str]); 2] = [
    ("witrpc", &["connection", "call", "stream", "event"]),
    ("witrpc-mmf", &["memory", "portable"]),
];

/// Returns the imports that run upwards or to a folder beside, and the files that are in no layer, each
/// as a sentence.
pub(crate) fn upward(crate_name: &str, graph: &Graph) -> Vec<String> {
    let layers: &[&[&str]] = match crate_name {
        "witrpc" => &WITRPC,
        "witrpc-mmf" => &MMF,
        _ => return Vec::new(),
    };
    let height = |file: &str| {
        let folder = folder_of(file);
        layers.iter().position(|layer| layer.contains(&folder))
    };
    let recurs = |from: &str, to: &str| {
        let together = |folder| {
            RECURSION.iter().any(|(name, folders)| *name == crate_name && folders.contains(&folder))
        };
        from == to || together(from) && together(to)
    };
    let mut found = BTreeSet::new();
    for import in &graph.imports {
        found.extend(match (height(&import.from), height(&import.to)) {
            (None, _) => Some(format!("{} stands in no layer", import.from)),
            (_, None) => Some(format!("{} stands in no layer", import.to)),
            (from, to) if to < from => Some(format!("{import}, which stands above it")),
            (from, to) if to == from && !recurs(folder_of(&import.from), folder_of(&import.to)) => {
                Some(format!("{import}, which stands beside it"))
            }
            _ => None,
        });
    }
    found.into_iter().collect()
}

/// Returns whether a file may name an engine.
pub(crate) fn is_endpoint(file: &str) -> bool {
    folder_of(file) == "endpoint"
}

/// Returns whether a file is in the folder of the portable backend.
pub(crate) fn is_portable(file: &str) -> bool {
    folder_of(file) == "portable"
}

/// Returns the folder, or the file, directly under `src`.
fn folder_of(file: &str) -> &str {
    let below = file.split_once("src/").map_or(file, |(_, below)| below);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}
