//! The promise that unlocks views into a peer's memory.

/// A promise that the other process of a connection does not write where this one reads.
///
/// A peer sends in memory that it can still write, so this process copies everything before it reads it. No
/// reference to that memory ever exists, and nothing that the peer does meanwhile is undefined behaviour here.
/// With this value, a client or a server hands out references to such memory instead.
///
/// An `unsafe` function makes it, where the promise is given. The code that takes the value is safe.
#[derive(Clone, Copy, Debug)]
pub struct TrustedPeer(());

impl TrustedPeer {
    /// Promises that the peers of a connection do not write to what they have sent.
    ///
    /// # Safety
    ///
    /// For every connection that uses the value: from the moment at which a message or a lease has been sent
    /// here until this process has released it, no process writes to its bytes. That is so when each peer
    ///
    /// - runs this crate, unmodified, over the native backend (over the portable one, which any
    ///   process of the user may open for writing, no other process does);
    /// - is not controlled by an attacker, from inside it or with a debugger;
    /// - has no undefined behaviour that could hit its mapping of the memory.
    ///
    /// A server that uses the value promises this of **every** client that can connect to it.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc_transport::TrustedPeer;
    ///
    /// // SAFETY: the peer is our own worker process, started from this executable.
    /// let trusted = unsafe { TrustedPeer::assume() };
    /// # let _ = trusted;
    /// ```
    #[must_use]
    #[expect(unsafe_code, reason = "declares the promise; nothing here acts on it")]
    pub const unsafe fn assume() -> Self {
        Self(())
    }
}
