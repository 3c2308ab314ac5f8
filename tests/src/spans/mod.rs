//! The spans that a process sees, if the feature `tracing` is on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "tracing")]
mod collector;

/// One span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// What was recorded in it, as text.
    pub fields: BTreeMap<String, String>,
    /// How often a thread has entered it.
    pub entered: u32,
    /// The fields of the span in which it was made.
    pub within: Option<BTreeMap<String, String>>,
}

impl Seen {
    /// Returns a field; empty if it was not recorded.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Returns the numbers of client and call.
    pub fn id(&self) -> (&str, &str) {
        (self.field("client"), self.field("call"))
    }
}

/// Collects the spans of this process from now on. Does nothing without the feature.
pub fn collect() {
    #[cfg(feature = "tracing")]
    collector::install();
}

/// Returns all spans that were seen, in order.
pub fn seen() -> Vec<Seen> {
    #[cfg(feature = "tracing")]
    return collector::seen();
    #[cfg(not(feature = "tracing"))]
    Vec::new()
}
