//! The end of what a process has written to standard error.

use std::collections::VecDeque;

/// How much is kept, in bytes: a panic's message with a short backtrace.
const KEPT: usize = 4096;

/// The last [`KEPT`] bytes of a text that may be endless.
#[derive(Debug, Default)]
pub struct StderrTail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl StderrTail {
    pub fn push(&mut self, more: &[u8]) {
        let more = &more[more.len().saturating_sub(KEPT)..];
        let surplus = (self.bytes.len() + more.len()).saturating_sub(KEPT);
        self.cut |= surplus > 0;
        self.bytes.drain(..surplus);
        self.bytes.extend(more);
    }

    /// Returns the text, without blanks at its ends. If it was cut, it begins with a whole line, if
    /// there is one.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let whole = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) if self.cut && end + 1 < bytes.len() => &bytes[end + 1..],
            _ => &bytes[..],
        };
        String::from_utf8_lossy(whole).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(parts: &[&[u8]]) -> String {
        let mut words = StderrTail::default();
        parts.iter().for_each(|part| words.push(part));
        words.text()
    }

    #[test]
    fn short_texts_are_kept_whole() {
        assert_eq!(text_of(&[]), "");
        assert_eq!(text_of(&[b"one\n", b"two", b" three\n\n"]), "one\ntwo three");
    }

    #[test]
    fn of_long_texts_the_last_lines_are_kept() {
        let line = |n: u32| format!("line {n} of many\n");
        let mut words = StderrTail::default();
        (0..10_000).for_each(|n| words.push(line(n).as_bytes()));
        assert!(words.bytes.len() <= KEPT);
        let text = words.text();
        assert!(text.starts_with("line ") && text.ends_with("line 9999 of many"), "{text}");
        assert!(text.lines().count() > 100);
    }

    #[test]
    fn a_line_without_end_keeps_its_end() {
        let mut long = vec![b'x'; 3 * KEPT];
        long.extend_from_slice("the end, \u{e9}".as_bytes());
        let text = text_of(&[b"before\n", &long]);
        assert!(text.len() == KEPT && text.ends_with("the end, \u{e9}"), "{}", text.len());
        // Bytes that are not UTF-8 are shown as such.
        assert_eq!(text_of(&[b"a\xffb"]), "a\u{fffd}b");
    }
}
