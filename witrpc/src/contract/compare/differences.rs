//! The differences of two contracts, by method and by event.

use crate::error::ContractDifference;

/// What differs between a client's contract and its server's. A method or event that differs is
/// refused by itself, so each has a list of its own.
#[derive(Debug, Default)]
pub struct Differences {
    /// By the client's number of the method. Methods without a place in it do not differ.
    pub(super) methods: Vec<Vec<ContractDifference>>,
    /// By the client's number of the event.
    pub(super) events: Vec<Vec<ContractDifference>>,
}

impl Differences {
    /// Returns what differs in the method of this number.
    pub fn of_method(&self, method: u16) -> &[ContractDifference] {
        self.methods.get(usize::from(method)).map_or(&[], Vec::as_slice)
    }

    /// Returns what differs in the event of this number.
    pub fn of_event(&self, event: u16) -> &[ContractDifference] {
        self.events.get(usize::from(event)).map_or(&[], Vec::as_slice)
    }

    /// Returns all differences, those of methods first.
    pub fn all(&self) -> impl Iterator<Item = &ContractDifference> {
        self.methods.iter().chain(&self.events).flatten()
    }
}
