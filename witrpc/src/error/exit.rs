//! How a worker's process ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// The end of a worker's process: its exit status, and the end of its standard error.
///
/// Its `Display` begins as part of a sentence (`it ended with ..`). The end of standard error follows
/// on separate lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerExit {
    status: Option<ExitStatus>,
    stderr: String,
}

impl WorkerExit {
    pub(crate) fn new(status: Option<ExitStatus>, stderr: String) -> Self {
        Self { status, stderr }
    }

    /// Returns the exit status. Returns `None` if the kernel does not report it: this program ignores
    /// `SIGCHLD`, or waits for all its children elsewhere.
    #[must_use]
    pub fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Returns the end of what it wrote to standard error, up to 4 KiB, without blanks at its ends.
    #[must_use]
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Writes the end of standard error, on separate lines.
    pub(crate) fn fmt_last_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stderr.is_empty() {
            return f.write_str(", with nothing on its standard error");
        }
        f.write_str("; the last on its standard error:")?;
        self.stderr.lines().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}

impl fmt::Display for WorkerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status.map(|status| (status, status.code(), status.signal())) {
            None => f.write_str("it ended with a status that the kernel did not tell")?,
            Some((_, Some(code), _)) => write!(f, "it ended with exit status {code}")?,
            // The standard library's wording: "signal: 9 (SIGKILL)".
            Some((status, None, Some(_))) => write!(f, "it was ended by {status}")?,
            Some((status, None, None)) => write!(f, "it ended: {status}")?,
        }
        self.fmt_last_words(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_says_how_and_what_was_last() {
        let words = |raw: Option<i32>, stderr: &str| {
            WorkerExit::new(raw.map(ExitStatus::from_raw), stderr.to_owned()).to_string()
        };
        assert_eq!(
            words(Some(3 << 8), "one\ntwo"),
            "it ended with exit status 3; the last on its standard error:\n  | one\n  | two"
        );
        assert_eq!(
            words(Some(9), ""),
            "it was ended by signal: 9 (SIGKILL), with nothing on its standard error"
        );
        assert!(words(None, "").starts_with("it ended with a status that the kernel"));
    }
}
