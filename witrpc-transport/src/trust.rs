//! The promise that unlocks views into a peer's memory.

/// A promise that the other process of a connection does not write where this one reads.
///
/// A peer sends in memory that it can still write, so this process copies everything before it reads it. No
/// reference to that memory ever exists, and nothing that the peer does meanwhile is undefined behaviour here.
/// With this value, a client or a server hands out references to such memory instead.
///
/// An `unsafe` function makes it, where the promise is given. The code that takes the value is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedPeer(());

impl TrustedPeer {
    /// Promises that the peers of a connection do not write to what they have sent.
    ///
    /// # Safety
    ///
    /// This holds for every connection that uses the value. Once a message or a lease has been sent here, no
    /// process writes to its bytes until this process has released it. That is so when each peer
    ///
    /// - runs this crate, unmodified, over the native backend. Over the portable one, any process of the user
    ///   could open the memory for writing: then no other process may do so, neither to what was sent nor to
    ///   what this process is still writing;
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
