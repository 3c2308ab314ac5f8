//! What events have of their own.

use std::time::Duration;

use syn::LitStr;

use super::Method;

/// What becomes of an event that a client has no room for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// The oldest one that waits makes room.
    DropOldest,
    /// It is dropped itself.
    DropNewest,
    /// The emitter waits, for at most this time.
    Wait(Duration),
}

impl Overflow {
    /// Reads `oldest`, `newest` or `wait 100ms`.
    pub(crate) fn of(text: &LitStr) -> Option<Self> {
        let text = text.value();
        match text.split_once(' ') {
            None if text == "oldest" => Some(Overflow::DropOldest),
            None if text == "newest" => Some(Overflow::DropNewest),
            Some(("wait", time)) => {
                let digits = time.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let number = digits.parse().ok().filter(|number| *number > 0)?;
                let time = match &time[digits.len()..] {
                    "us" => Duration::from_micros(number),
                    "ms" => Duration::from_millis(number),
                    "s" => Duration::from_secs(number),
                    _ => return None,
                };
                Some(Overflow::Wait(time))
            }
            _ => None,
        }
    }
}

impl Method<'_> {
    /// Returns what becomes of an event for which there is no room.
    pub(crate) fn overflow(&self) -> Overflow {
        let given = self.options.overflow.as_ref().and_then(Overflow::of);
        given.unwrap_or(Overflow::DropOldest)
    }

    /// Returns the part of an event's item struct that the name of the event gives: `done_at` is `DoneAt`.
    pub(crate) fn in_camel_case(&self) -> String {
        use syn::ext::IdentExt;
        let name = self.name().unraw().to_string();
        let words = name.split('_').filter(|word| !word.is_empty());
        words
            .flat_map(|word| {
                let mut letters = word.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                first.chain(letters).collect::<Vec<_>>()
            })
            .collect()
    }
}
