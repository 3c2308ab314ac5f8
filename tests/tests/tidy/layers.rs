//! Which folder of a crate stands above which.

use std::collections::BTreeSet;

use super::graph::Graph;

/// The folders of `witrpc`, highest first; those of one line stand beside each other and may import one
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

/// The imports that run upwards, and the files that stand in no layer, each as a sentence.
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

/// Whether a file is one of those that may name an engine.
pub(crate) fn is_endpoint(file: &str) -> bool {
    folder_of(file) == "endpoint"
}

/// Whether a file is one of the folder of the portable backend.
pub(crate) fn is_portable(file: &str) -> bool {
    folder_of(file) == "portable"
}

/// The folder, or the file, right under `src`.
fn folder_of(file: &str) -> &str {
    let below = file.split_once("src/").map_or(file, |(_, below)| below);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}
