//! The differences between two versions of a service, in words.

use std::fmt;

/// One difference between a client's and a server's version of a service, in a
/// [`ConnectError::ContractMismatch`](crate::ConnectError::ContractMismatch).
///
/// It reads ``divide: argument `b` is i64 here and i32 there``, where *here* is the client and
/// *there* the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractDifference {
    /// The name of the method or event on the wire.
    pub method: String,
    /// Where in it: ``argument `b` ``, `the result`, ``the error: field `line` ``. Empty if the
    /// difference concerns the method or event as a whole.
    pub place: String,
    /// The difference: `is i64 here and i32 there`.
    pub problem: String,
}

/// The most differences that a sentence lists.
const MOST_LISTED: usize = 5;

impl ContractDifference {
    /// Returns several differences as part of a sentence.
    pub(crate) fn list(differences: &[Self]) -> String {
        let mut first: Vec<_> =
            differences.iter().take(MOST_LISTED).map(ToString::to_string).collect();
        if differences.len() > first.len() {
            first.push(format!("and {} more", differences.len() - first.len()));
        }
        first.join("; ")
    }
}

impl fmt::Display for ContractDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.method)?;
        if !self.place.is_empty() {
            write!(f, "{} ", self.place)?;
        }
        f.write_str(&self.problem)
    }
}
