//! Allocates private memory for a message that a peer has sent, which may exceed what this process has.

use std::collections::TryReserveError;

/// Returns an empty buffer with room for exactly `len` bytes.
///
/// # Errors
///
/// This process has no memory for them.
pub fn room_for(len: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut bytes = Vec::new();
    #[cfg(test)]
    let len = if shortage::strikes() { usize::MAX } else { len };
    bytes.try_reserve_exact(len)?;
    Ok(bytes)
}

/// Simulates a lack of memory for tests.
#[cfg(test)]
pub mod shortage {
    use std::cell::Cell;

    thread_local! {
        static STRIKES: Cell<bool> = const { Cell::new(false) };
    }

    /// Makes the next allocation of this thread fail.
    pub fn strike_next() {
        STRIKES.set(true);
    }

    pub fn strikes() -> bool {
        STRIKES.take()
    }
}
