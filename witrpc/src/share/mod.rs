//! Bytes that cross to the other process without a copy: see [`Shared`].

pub mod client;
pub mod iter;
pub mod server;
pub mod transfer;
pub mod write;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use witrpc_transport::SharedBytes;

use crate::codec::RawElement;

pub use crate::codec::shareable::Shareable;
pub use crate::codec::shareable::{Elements, check};
pub use iter::{Chunks, Iter};
pub use write::SharedMut;

/// Elements that cross to the other process in place: an argument or a result that is not copied,
/// whatever its size.
///
/// ```
/// use witrpc::{AllocError, CallContext, Shared, wit_service};
///
/// #[wit_service]
/// pub trait Camera {
///     /// The frame, darkened.
///     fn darken(&self, #[wit(ctx)] cx: &CallContext, frame: Shared<[u8]>) -> Shared<[u8]>;
/// }
///
/// struct Filter;
///
/// impl Camera for Filter {
///     fn darken(&self, cx: &CallContext, frame: Shared<[u8]>) -> Shared<[u8]> {
///         let Ok(mut dark) = cx.alloc::<u8>(frame.len()) else { return frame };
///         for (dark, light) in dark.iter_mut().zip(&frame) {
///             *dark = light / 2;
///         }
///         dark.freeze()
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let camera = CameraClient::in_process(Filter);
/// let mut frame = camera.connection().alloc::<u8>(640 * 480)?; // in memory that the server sees
/// frame.fill(200); // a `&mut [u8]`, written in place
/// let dark = camera.darken(frame.freeze())?; // nothing is copied
/// assert!(dark.iter().all(|pixel| pixel == 100)); // read in place, and given back by the drop
/// # Ok(())
/// # }
/// ```
///
/// # The life of a lease
///
/// Each direction of a connection has its own shared memory, half of [`Mmf::size`](crate::Mmf::size).
/// One side writes it, the other side only reads it.
///
/// 1. The sender allocates space with [`Connection::alloc`](crate::Connection::alloc) or
///    [`CallContext::alloc`](crate::CallContext::alloc). It gets a [`SharedMut`], which is a `&mut
///    [T]`.
/// 2. The sender fills it and [freezes](SharedMut::freeze) it. From now on, no code writes to it.
/// 3. The sender passes it to a method, or returns it. The message names the place; the elements stay.
/// 4. The receiver reads them while it keeps the `Shared` or a clone of it, in the call or after it.
/// 5. When both sides have dropped theirs, the space is free again.
///
/// # Write access, and what a reader sees
///
/// Safe code of the sender cannot write to a frozen lease. But the sender is another process, with its
/// memory mapped for writing, so a broken or hostile sender can. That is why a `Shared` that came from
/// another process gives no `&[T]`: such a reference promises that nothing changes, and the compiler
/// relies on that. It gives **copies**, of one element or of many ([`get`](Self::get),
/// [`copy_to`](Self::copy_to), [`iter`](Self::iter), [`chunks`](Self::chunks),
/// [`to_vec`](Self::to_vec)). They are made by atomic loads of whole words: on x86-64 at the speed of
/// `memcpy`, elsewhere word by word. They are sound whatever the other process does. A writer that
/// breaks the rules can make two reads of one element differ, and nothing worse. So code that checks
/// elements must use the copy that it checked.
///
/// If you can vouch for the other process, say so once, with a [`TrustedPeer`](crate::TrustedPeer) for
/// [`ClientBuilder::trust_server`](crate::ClientBuilder::trust_server) or
/// [`WitServerBuilder::trust_clients`](crate::WitServerBuilder::trust_clients). Then
/// [`as_slice`](Self::as_slice) gives a `&[T]` into the shared memory, and a `&[T]` argument refers to
/// it too. `as_slice` also gives this process's own elements, because no other process can write to
/// them.
///
/// # When the elements are copied
///
/// If a `Shared` cannot be lent, the message carries a copy, and the receiver's elements are in private
/// memory. That happens
///
/// - if it is not from this connection: made by [`from_vec`](Self::from_vec), allocated on another
///   connection, or received;
/// - if another message has it: it is lent to one message at a time, until the receiver has dropped it.
///   If it is passed twice in one call, the second is a copy;
/// - if a handler made it while the server had no space, because the handler's
///   [`alloc`](crate::CallContext::alloc) does not wait;
/// - if the rest of the message is over a quarter of [`Mmf::size`](crate::Mmf::size), so that the
///   message goes in segments;
/// - if the transport has no memory to share, or the connection is
///   [encrypted](crate::ClientBuilder::encryption). An encrypted connection has no shared memory to
///   allocate either: [`Connection::alloc`](crate::Connection::alloc) and
///   [`CallContext::alloc`](crate::CallContext::alloc) return
///   [`AllocError::Encrypted`](crate::AllocError::Encrypted).
///
/// A copy is a part of its message, which [`max_message_size`](crate::Mmf::max_message_size) bounds: 64
/// MiB by default. Lent elements are not. So a `Shared` that is longer passes only if it can be lent.
/// Otherwise the call fails with [`CallError::TooLarge`](crate::CallError::TooLarge). To share that
/// much at a time, raise the limit, or make sure that none of the cases above occurs.
///
/// Within one process nothing is copied at all: all holders share the same memory.
///
/// # When the other side dies
///
/// The memory stays mapped while any lease of it is left, whatever happens to the connection or the
/// other process. One lease keeps all of the memory mapped, so copy what must last by
/// [`to_vec`](Self::to_vec). The bytes are those that the other process had written when it froze them,
/// or when it died: no process writes to them any more.
///
/// [`Connection::alloc`](crate::Connection::alloc) and calls report that the connection is lost. Over
/// another connection, and over the next one of a client that [reconnects](crate::Reconnect), the
/// remaining leases are copied. A forked process has none of this memory mapped: to read a lease there
/// panics, to drop it does nothing.
///
/// # Limits
///
/// One side of a connection can have 1,024 leases at once. Together they can take its half of `size`,
/// except for two segments of up to 256 KiB each, which are reserved for messages. A handler that keeps
/// leases uses up the space in which its client sends. `alloc` waits for space and reports what is
/// short: see [`AllocError`](crate::AllocError).
///
/// # Elements
///
/// `Shared<[T]>` is a slice, `Shared<T>` a single value. The elements are [`bytemuck::Pod`]: any bytes
/// are a value, and there are no padding bytes that could leak data. Among the crates with such a
/// trait, only bytemuck's covers sharing in both directions without a conversion that may fail. They
/// are also `Serialize` and `Deserialize`, so that their fields are part of the contract. Their
/// alignment is at most 64 bytes, their size is not zero, and `usize` is not among them.
///
/// A `Shared` is a whole argument, a whole result, or the `Ok` of a result. It cannot be a field, or
/// stand in an `Option`, a `Vec` or a tuple: pass it and the data that belongs to it as several
/// arguments. It cannot be an item of a stream or an argument of an event either: a lease belongs to
/// one message and one receiver.
///
/// [`bytemuck::Pod`]: https://docs.rs/bytemuck/latest/bytemuck/trait.Pod.html
pub struct Shared<T: ?Sized> {
    bytes: Arc<dyn SharedBytes>,
    form: PhantomData<T>,
}

impl<T: ?Sized> Shared<T> {
    /// Wraps bytes, whose length must be one that the form allows.
    fn new(bytes: Arc<dyn SharedBytes>) -> Self {
        Self { bytes, form: PhantomData }
    }

    fn bytes(&self) -> &Arc<dyn SharedBytes> {
        &self.bytes
    }

    fn in_place(&self) -> Option<&T>
    where
        T: Shareable,
    {
        T::of_bytes(self.bytes.as_slice()?)
    }
}

impl<T: RawElement> Shared<[T]> {
    /// Creates elements in private memory, which a call copies into its message.
    #[must_use]
    pub fn from_vec(elements: Vec<T>) -> Self {
        check::<T>();
        Self::new(Arc::new(Elements(elements)))
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / size_of::<T>()
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a copy of one element; `None` if `index` is out of bounds.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        (index < self.len()).then(|| {
            let mut element = T::zeroed();
            self.bytes.copy_to(index * size_of::<T>(), bytemuck::bytes_of_mut(&mut element));
            element
        })
    }

    /// Copies all elements.
    ///
    /// # Panics
    ///
    /// Panics if `out` has another length.
    pub fn copy_to(&self, out: &mut [T]) {
        assert_eq!(out.len(), self.len(), "elements are copied to a slice of their number");
        self.copy_range_to(0, out);
    }

    /// Copies the elements from `start` on into all of `out`.
    ///
    /// # Panics
    ///
    /// Panics if `start + out.len()` is beyond the end.
    pub fn copy_range_to(&self, start: usize, out: &mut [T]) {
        let fits = start <= self.len() && out.len() <= self.len() - start;
        assert!(fits, "{} elements from {start} on of {}", out.len(), self.len());
        self.bytes.copy_to(start * size_of::<T>(), bytemuck::cast_slice_mut(out));
    }

    /// Returns a copy of all elements.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        let mut elements = bytemuck::zeroed_vec(self.len());
        self.copy_to(&mut elements);
        elements
    }

    /// Returns an iterator over copies of the elements. It copies a few KiB at a time, unless the
    /// elements can be [read in place](Self::as_slice). A loop that sums or compares runs fastest as
    /// one of the iterator's own, such as [`fold`](Iterator::fold) and `sum`.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Returns an iterator over pieces of `len` elements; the last may be shorter. A piece is the
    /// elements themselves if [`as_slice`](Self::as_slice) has them. Otherwise it is a copy in a buffer
    /// that is reused, and the iterator copies a few KiB or one piece at a time, whichever is more.
    ///
    /// # Panics
    ///
    /// Panics if `len` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let samples = witrpc::Shared::from_vec(vec![1_u32, 2, 3, 4, 5]);
    /// let mut chunks = samples.chunks(2);
    /// let mut sums = Vec::new();
    /// while let Some(chunk) = chunks.next() {
    ///     sums.push(chunk.iter().sum::<u32>());
    /// }
    /// assert_eq!(sums, [3, 7, 5]);
    /// ```
    #[must_use]
    pub fn chunks(&self, len: usize) -> Chunks<'_, T> {
        Chunks::new(self, len)
    }

    /// Returns the elements in place, if no other process can write to them: they are this process's
    /// own, or the peer is [trusted](crate::TrustedPeer). Returns `None` otherwise.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[T]> {
        self.in_place()
    }
}

impl<T: RawElement> Shared<T> {
    /// Creates a value in private memory, which a call copies into its message.
    #[must_use]
    pub fn from_value(value: T) -> Self {
        check::<T>();
        Self::new(Arc::new(Elements(vec![value])))
    }

    /// Returns a copy of the value.
    #[must_use]
    pub fn get(&self) -> T {
        let mut value = T::zeroed();
        self.bytes.copy_to(0, bytemuck::bytes_of_mut(&mut value));
        value
    }

    /// Returns the value in place, if no other process can write to it: as
    /// [`Shared::<[T]>::as_slice`](Self::as_slice).
    #[must_use]
    pub fn as_value(&self) -> Option<&T> {
        self.in_place()
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.bytes))
    }
}

impl<T: RawElement> From<Vec<T>> for Shared<[T]> {
    fn from(elements: Vec<T>) -> Self {
        Self::from_vec(elements)
    }
}

impl<'a, T: RawElement> IntoIterator for &'a Shared<[T]> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
