//! Private memory for a message that a peer has sent: it may be more than this process has.

use std::collections::TryReserveError;

/// An empty buffer with room for exactly so many bytes.
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

/// Has memory run out when a test wants it to.
#[cfg(test)]
pub mod shortage {
    use std::cell::Cell;

    thread_local! {
        static STRIKES: Cell<bool> = const { Cell::new(false) };
    }

    /// The next that this thread asks for is not there.
    pub fn strike_next() {
        STRIKES.set(true);
    }

    pub fn strikes() -> bool {
        STRIKES.take()
    }
}
