//! The promise that unlocks views into a peer's memory.

/// States that the other process of a connection can be trusted not to write where this one reads.
///
/// What a peer sends lies in memory that the peer can still write, so it is copied out before it
/// is looked at: no reference to it ever exists, and whatever the peer does meanwhile cannot be
/// undefined behaviour here. With this value, given to a client or a server, references to such
/// memory are handed out instead.
///
/// It is made by an `unsafe` function, which is where the promise is given; what it is passed to is
/// safe.
#[derive(Clone, Copy, Debug)]
pub struct TrustedPeer(());

impl TrustedPeer {
    /// Promises that the peers of a connection keep their hands off what they have sent.
    ///
    /// # Safety
    ///
    /// For every connection that the value is used for: from the moment at which a message or a
    /// lease has been sent here until this process has released it, nobody writes to its bytes.
    /// That is so when each peer
    ///
    /// - runs this crate, unmodified, over the native backend (over the portable one, which any
    ///   process of the user may open for writing, no other process does);
    /// - is not under the control of anybody who would have it do otherwise: an attacker inside it,
    ///   a debugger;
    /// - has no undefined behaviour of its own that could hit its mapping of the memory.
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
