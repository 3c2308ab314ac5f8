//! A script: bytes that say what a peer does, step by step.

/// The bytes that are left. Numbers beyond the end are 0.
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the next bytes; `None` when the script is over.
    pub(crate) fn next<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (next, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*next)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().map_or(0, u8::from_le_bytes)
    }

    pub(crate) fn short(&mut self) -> u16 {
        self.next().map_or(0, u16::from_le_bytes)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.next().map_or(0, u64::from_le_bytes)
    }

    /// Returns as many of the next bytes as the byte in front of them says.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}
