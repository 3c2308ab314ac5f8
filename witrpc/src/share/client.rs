//! Allocates space in shared memory, to be filled and passed to methods.

use std::future::{Future, poll_fn};
use std::time::Duration;

use witrpc_transport::{ChannelError, ClientChannel, Lessor, Limit, WritableBytes, private_bytes};

use crate::codec::RawElement;
use crate::connection::handle::Connection;
use crate::error::AllocError;
use crate::rt::block_on;

use super::{SharedMut, check};

/// The longest wait for space when a call has no time limit. Threads that each hold some space and
/// wait for more would otherwise wait for each other for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Connection {
    /// Allocates space for `len` elements in memory that the server sees. Fill it in place, then pass
    /// it to a method as a [`Shared`](crate::Shared).
    ///
    /// While there is too little space, this blocks the thread until leases are dropped, here and in
    /// the server. The limit is that of a call: [`call_timeout`](Self::call_timeout), or what the
    /// client was given [`with`](crate::CallOptions), or 30 s if a call has no limit. A
    /// [`CancelToken`](crate::CancelToken) does not end the wait. Threads that each hold some space and
    /// wait for more can deadlock until that limit. Allocate several leases in one
    /// [`alloc_all`](Self::alloc_all): a caller that waits while it holds none cannot deadlock.
    ///
    /// Waiting callers are not served in order. A caller that asks for less passes callers that ask for
    /// more, because it may hold what they wait for. So a caller that asks for nearly all the space can
    /// starve while others keep taking a little.
    ///
    /// A client that [reconnects](crate::Reconnect) waits for the next server as its calls do, within
    /// the time of a call.
    ///
    /// Over a transport without shared memory, and within one process, this allocates private memory.
    ///
    /// # Errors
    ///
    /// [`AllocError::TooLarge`], [`AllocError::NoMemory`] and [`AllocError::Encrypted`] at once;
    /// [`AllocError::NoSpace`] and [`AllocError::TooManyLeases`] when the time is over; or the variant
    /// that says that the connection is closed or lost.
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

    /// Allocates space for one value; otherwise as [`alloc`](Self::alloc).
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc).
    pub fn alloc_value<T: RawElement>(&self) -> Result<SharedMut<T>, AllocError> {
        check::<T>();
        self.wait_for_one(size_of::<T>()).map(SharedMut::new)
    }

    /// Allocates several pieces of space at once, one for each number of elements: all of them or none.
    /// Otherwise as [`alloc`](Self::alloc).
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc). The pieces together are too large if they never fit at the same time.
    /// They are too many ([`AllocError::TooManyAtOnce`]) if a connection can never have that many.
    pub fn alloc_all<T: RawElement>(
        &self,
        lens: &[usize],
    ) -> Result<Vec<SharedMut<[T]>>, AllocError> {
        check::<T>();
        let lens = lens_in_bytes::<T>(lens);
        let bytes = match self.at_once(|lessor| lessor.try_alloc(&lens)) {
            Some(bytes) => bytes,
            None => self.wait_for_bytes(&lens)?,
        };
        Ok(bytes.into_iter().map(SharedMut::new).collect())
    }

    /// Allocates as [`alloc`](Self::alloc) does, without waiting.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc), each of them at once.
    pub fn try_alloc<T: RawElement>(&self, len: usize) -> Result<SharedMut<[T]>, AllocError> {
        check::<T>();
        let len = len.saturating_mul(size_of::<T>());
        let channel = self.channel();
        let bytes = match (channel.lost(), channel.lessor()) {
            (Some(lost), _) => Err(lost),
            (None, Some(lessor)) => lessor.try_alloc_one(len),
            (None, None) => private_bytes(len),
        };
        let bytes = bytes.map_err(|error| AllocError::from_channel(error, &[len], None))?;
        Ok(SharedMut::new(bytes))
    }

    /// Allocates as [`alloc`](Self::alloc) does, for async code. Any executor can poll the future,
    /// which waits for as long as a call may take. Dropping the future ends its wait.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc).
    pub fn alloc_async<T: RawElement>(
        &self,
        len: usize,
    ) -> impl Future<Output = Result<SharedMut<[T]>, AllocError>> + Send + 'static {
        let all = self.alloc_all_async(&[len]);
        async move { all.await.map(the_one) }
    }

    /// Allocates as [`alloc_all`](Self::alloc_all) does, for async code: see
    /// [`alloc_async`](Self::alloc_async).
    ///
    /// # Errors
    ///
    /// As [`alloc_all`](Self::alloc_all).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[witrpc::wit_service]
    /// # pub trait Mixer { fn mix(&self, left: witrpc::Shared<[f32]>, right: witrpc::Shared<[f32]>) -> f32; }
    /// # struct Sum;
    /// # impl Mixer for Sum {
    /// #     fn mix(&self, left: witrpc::Shared<[f32]>, right: witrpc::Shared<[f32]>) -> f32 {
    /// #         left.iter().chain(right.iter()).sum()
    /// #     }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_executor::block_on(async {
    /// # let endpoint = witrpc::InProcess::new();
    /// # let service = MixerServer::new(Sum);
    /// # let server = witrpc::WitServer::builder().listen(endpoint.clone()).service(service).start()?;
    /// # let mixer = MixerAsyncClient::builder(endpoint).connect().await?;
    /// let mut tracks = mixer.connection().alloc_all_async::<f32>(&[100, 100]).await?;
    /// tracks.iter_mut().for_each(|track| track.fill(0.5));
    /// let [left, right] = tracks.try_into().expect("two were asked for");
    /// assert_eq!(mixer.mix(left.freeze(), right.freeze()).await?, 100.0);
    /// # Ok(()) }) }
    /// ```
    pub fn alloc_all_async<T: RawElement>(
        &self,
        lens: &[usize],
    ) -> impl Future<Output = Result<Vec<SharedMut<[T]>>, AllocError>> + Send + 'static + use<T>
    {
        check::<T>();
        let connection = self.clone();
        let lens = lens_in_bytes::<T>(lens);
        async move {
            let bytes = connection.bytes(&lens).await?;
            Ok(bytes.into_iter().map(SharedMut::new).collect())
        }
    }

    fn wait_for_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, AllocError> {
        match self.at_once(|lessor| lessor.try_alloc_one(len)) {
            Some(bytes) => Ok(bytes),
            None => self.wait_for_bytes(&[len]).map(the_one),
        }
    }

    /// Allocates if there is space at once, which takes no future and no waker.
    fn at_once<T>(&self, take: impl FnOnce(&dyn Lessor) -> Result<T, ChannelError>) -> Option<T> {
        let link = self.inner().link();
        let lessor = link.channel.lessor().filter(|_| link.channel.lost().is_none());
        take(lessor?).ok()
    }

    fn wait_for_bytes(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, AllocError> {
        let mut bytes = std::pin::pin!(self.bytes(lens));
        block_on(|cx| bytes.as_mut().poll(cx))
    }

    /// Allocates over the next link, if one link is lost and the connection gets another.
    async fn bytes(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, AllocError> {
        let default = self.call_timeout();
        let time = self.options().map_or(default, |options| options.time_left(default));
        let mut limit = time.map_or(Limit::Never, Limit::Within);
        let mut link = self.inner().link();
        loop {
            let (mut patience, waited) = patience(&mut limit, time);
            let error = match bytes_of(&*link.channel, lens, &mut patience).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error,
            };
            let next = self.inner().links.after(&error, &link, &mut limit).await;
            let failed = || AllocError::from_channel(error, lens, Some(waited));
            link = next.ok_or_else(failed)?.map_err(AllocError::from_wait)?;
        }
    }
}

/// Returns the limit of the wait for one link's space, given `limit` and the time left, and how
/// long that is.
fn patience(limit: &mut Limit, time: Option<Duration>) -> (Limit, Duration) {
    match (limit.instant(), time) {
        (Some(at), Some(time)) => (Limit::At(at), time),
        _ => (Limit::Within(LONGEST_WAIT), LONGEST_WAIT),
    }
}

/// Allocates space of one link, and waits until there is some.
async fn bytes_of(
    channel: &dyn ClientChannel,
    lens: &[usize],
    limit: &mut Limit,
) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
    if let Some(lost) = channel.lost() {
        return Err(lost);
    }
    let Some(lessor) = channel.lessor() else {
        return lens.iter().map(|len| private_bytes(*len)).collect();
    };
    let mut waiting = None;
    poll_fn(|cx| lessor.poll_alloc(cx, &mut waiting, lens, limit)).await
}

/// Converts the lengths into bytes. A number of elements that exceeds any memory stays too large.
fn lens_in_bytes<T>(lens: &[usize]) -> Vec<usize> {
    lens.iter().map(|len| len.saturating_mul(size_of::<T>())).collect()
}

fn the_one<T>(items: Vec<T>) -> T {
    items.into_iter().next().expect("one was asked for")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn no_wait_for_space_is_without_end() {
        for endless in [None, Some(Duration::MAX)] {
            let mut limit = endless.map_or(Limit::Never, Limit::Within);
            let (mut until, waited) = patience(&mut limit, endless);
            assert_eq!(waited, LONGEST_WAIT);
            assert!(until.instant().is_some());
            assert!(limit.instant().is_none(), "the next server is waited for as ever");
        }
        let hour = Duration::from_secs(3_600);
        let mut limit = Limit::Within(hour);
        let (mut until, waited) = patience(&mut limit, Some(hour));
        assert_eq!(waited, hour);
        assert!(until.instant() == limit.instant() && until.instant() > Some(Instant::now()));
    }
}
