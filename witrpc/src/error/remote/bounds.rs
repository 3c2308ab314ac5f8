//! How much of an error crosses. Both sides cut, so that neither has to trust the other.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// The number of sources that cross with an error.
pub(super) const MAX_SOURCES: usize = 16;

/// The length of a message in bytes.
pub(super) const MAX_TEXT: usize = 4096;

/// Cuts a text that is too long, between two characters.
pub(super) fn cut(mut text: String) -> String {
    let kept = kept(&text).len();
    if kept < text.len() {
        text.truncate(kept);
        text.shrink_to_fit();
    }
    text
}

fn kept(text: &str) -> &str {
    let most = text.len().min(MAX_TEXT);
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Reads a text and cuts it.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Cut;

    impl Visitor<'_> for Cut {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            Ok(kept(text).to_owned())
        }

        fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
            Ok(cut(text))
        }
    }

    deserializer.deserialize_str(Cut)
}

/// Reads a list of texts, and keeps the first ones.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct First;

    impl<'de> Visitor<'de> for First {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of strings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(CutText(text)) = list.next_element()? {
                if texts.len() < MAX_SOURCES {
                    texts.push(text);
                }
            }
            Ok(texts)
        }
    }

    deserializer.deserialize_seq(First)
}

struct CutText(String);

impl<'de> Deserialize<'de> for CutText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}
