//! Space in shared memory, to be filled and passed to methods.

use std::future::{Future, poll_fn};

use super::Connection;
use super::flight::block_on;
use super::links::{self, Held};
use crate::__private::v1::RawElement;
use crate::error::AllocError;
use crate::shared::{SharedMut, check};
use crate::transport::{ChannelError, ClientChannel, Lessor, Limit, WritableBytes, private_bytes};

impl Connection {
    /// Takes space for `len` elements in the memory that the server sees, to be filled in place and
    /// passed to a method as a [`Shared`](crate::Shared).
    ///
    /// Waits while there is too little, and blocks the thread meanwhile, until leases are dropped,
    /// here and in the server: for as long as a call may take, which is
    /// [`call_timeout`](Self::call_timeout) or what the client was given
    /// [`with`](crate::CallOptions). (A [`CancelToken`](crate::CancelToken) does not end the wait.)
    /// Threads that each hold some and wait for more can all wait in vain, which ends in time; who
    /// needs several at once takes them by [`alloc_all`](Self::alloc_all) and waits with nothing in
    /// hand.
    ///
    /// A client that [reconnects](crate::Reconnect) waits for the next server as its calls do, within
    /// the same time.
    ///
    /// Over a transport without shared memory, and within one process, it is private memory.
    ///
    /// # Errors
    ///
    /// [`AllocError::TooLarge`] and [`AllocError::Encrypted`] at once, [`AllocError::NoSpace`] and
    /// [`AllocError::TooManyLeases`] when the time is over; or the connection is closed, or lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[witrpc::wit_service]
    /// # pub trait Mixer { fn mean(&self, samples: witrpc::Shared<[f32]>) -> f32; }
    /// # struct Mean;
    /// # impl Mixer for Mean {
    /// #     fn mean(&self, samples: witrpc::Shared<[f32]>) -> f32 {
    /// #         samples.iter().sum::<f32>() / samples.len() as f32
    /// #     }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mixer = MixerClient::in_process(Mean);
    /// let mut samples = mixer.connection().alloc::<f32>(4)?;
    /// samples.copy_from_slice(&[1.0, 2.0, 3.0, 6.0]);
    /// assert_eq!(mixer.mean(samples.freeze())?, 3.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn alloc<T: RawElement>(&self, len: usize) -> Result<SharedMut<[T]>, AllocError> {
        check::<T>();
        self.wait_for_one(len.saturating_mul(size_of::<T>())).map(SharedMut::new)
    }

    /// As [`alloc`](Self::alloc), for one value.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc).
    pub fn alloc_value<T: RawElement>(&self) -> Result<SharedMut<T>, AllocError> {
        check::<T>();
        self.wait_for_one(size_of::<T>()).map(SharedMut::new)
    }

    /// As [`alloc`](Self::alloc), for several at once, of these numbers of elements: all of them, or
    /// none.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc); together they are too large if all of them do not fit at once.
    pub fn alloc_all<T: RawElement>(
        &self,
        lens: &[usize],
    ) -> Result<Vec<SharedMut<[T]>>, AllocError> {
        check::<T>();
        let bytes = self.wait_for_bytes(&lens_in_bytes::<T>(lens))?;
        Ok(bytes.into_iter().map(SharedMut::new).collect())
    }

    /// As [`alloc`](Self::alloc), without waiting.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc), all of them at once.
    pub fn try_alloc<T: RawElement>(&self, len: usize) -> Result<SharedMut<[T]>, AllocError> {
        check::<T>();
        let len = len.saturating_mul(size_of::<T>());
        let channel = self.channel();
        let bytes = match (channel.lost(), channel.lessor()) {
            (Some(lost), _) => Err(lost),
            (None, Some(lessor)) => lessor.try_alloc_one(len),
            (None, None) => private(&[len]).map(the_one),
        };
        let bytes = bytes.map_err(|error| AllocError::from_channel(error, len, None))?;
        Ok(SharedMut::new(bytes))
    }

    /// As [`alloc`](Self::alloc), for async code: the future can be polled by any executor, and
    /// waits, if it has to, for as long as a call may take. Dropped, it gives up its place.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc).
    pub fn alloc_async<T: RawElement>(
        &self,
        len: usize,
    ) -> impl Future<Output = Result<SharedMut<[T]>, AllocError>> + Send + 'static {
        check::<T>();
        let connection = self.clone();
        async move {
            let bytes = connection.bytes(&lens_in_bytes::<T>(&[len])).await?;
            Ok(SharedMut::new(the_one(bytes)))
        }
    }

    fn wait_for_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, AllocError> {
        match self.at_once(|lessor| lessor.try_alloc_one(len)) {
            Some(bytes) => Ok(bytes),
            None => self.wait_for_bytes(&[len]).map(the_one),
        }
    }

    /// What is there at once, for which it takes no future and no waker.
    fn at_once<T>(&self, take: impl FnOnce(&dyn Lessor) -> Result<T, ChannelError>) -> Option<T> {
        let link = self.inner().link();
        let lessor = link.channel.lessor().filter(|_| link.channel.lost().is_none());
        take(lessor?).ok()
    }

    fn wait_for_bytes(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, AllocError> {
        if let Some(bytes) = self.at_once(|lessor| lessor.try_alloc(lens)) {
            return Ok(bytes);
        }
        let mut bytes = std::pin::pin!(self.bytes(lens));
        block_on(|cx| bytes.as_mut().poll(cx))
    }

    /// Over the next link, if one is lost and the connection gets another.
    async fn bytes(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, AllocError> {
        let default = self.call_timeout();
        let time = self.options().map_or(default, |options| options.time_left(default));
        let mut limit = time.map_or(Limit::Never, Limit::Within);
        let mut link = self.inner().link();
        loop {
            let error = match bytes_of(&*link.channel, lens, &mut limit).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error,
            };
            let keeper = links::lost_for(&error).and_then(|it| self.inner().links.keeper_after(it));
            let Some(keeper) = keeper else {
                return Err(AllocError::from_channel(error, sum(lens), time));
            };
            let next = {
                let mut next = keeper.next(&link);
                poll_fn(|cx| next.poll(cx, &mut limit)).await
            };
            link = Held::Kept(next.map_err(AllocError::from_wait)?);
        }
    }
}

/// Space of one link, as soon as it is there.
async fn bytes_of(
    channel: &dyn ClientChannel,
    lens: &[usize],
    limit: &mut Limit,
) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
    if let Some(lost) = channel.lost() {
        return Err(lost);
    }
    let Some(lessor) = channel.lessor() else { return private(lens) };
    let mut waiting = None;
    poll_fn(|cx| lessor.poll_alloc(cx, &mut waiting, lens, limit)).await
}

/// Space where the transport has none to share.
fn private(lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
    let max = isize::MAX as usize;
    if let Some(len) = lens.iter().copied().find(|len| *len > max) {
        return Err(ChannelError::TooLarge { len, max });
    }
    Ok(lens.iter().map(|len| private_bytes(*len)).collect())
}

/// Lengths in bytes; too many elements for any memory stay too many.
fn lens_in_bytes<T>(lens: &[usize]) -> Vec<usize> {
    lens.iter().map(|len| len.saturating_mul(size_of::<T>())).collect()
}

fn sum(lens: &[usize]) -> usize {
    lens.iter().fold(0, |sum, len| sum.saturating_add(*len))
}

fn the_one<T>(items: Vec<T>) -> T {
    items.into_iter().next().expect("one was asked for")
}
