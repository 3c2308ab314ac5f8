//! The layers of the crates' folders.

use std::collections::BTreeSet;

use super::graph::Graph;

/// The folders of `witrpc`, highest first. Those in one line are on one level and may import one
/// another.
const WITRPC: [&[&str]; 9] = [
    &["lib", "guide", "worker", "__private"],
    &["endpoint"],
    &["server"],
    &["connection", "call", "stream", "event", "share", "method"],
    &["pool"],
    &["contract", "codec", "security", "observe", "queue", "transport"],
    &["tag"],
    &["rt", "backoff"],
    &["error"],
];

/// The folders of `witrpc-mmf`, highest first.
const MMF: [&[&str]; 7] = [
    &["lib", "seam", "fuzzing"],
    &["client", "server"],
    &["rendezvous"],
    &["link"],
    &["wakeup"],
    &["memory", "portable"],
    &["sys", "error", "name"],
];

/// Returns the imports that run upwards, and the files that are in no layer, each as a sentence.
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
    let mut found = BTreeSet::new();
    for import in &graph.imports {
        found.extend(match (height(&import.from), height(&import.to)) {
            (None, _) => Some(format!("{} stands in no layer", import.from)),
            (_, None) => Some(format!("{} stands in no layer", import.to)),
            (from, to) => (to < from).then(|| format!("{import}, which stands above it")),
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
