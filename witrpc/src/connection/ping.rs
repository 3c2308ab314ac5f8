//! Asking a server whether it still looks at a connection.
//!
//! The question is a request that closes no stream. It runs no method, so a server whose threads are all in
//! handlers answers it too, and every server knows it.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use witrpc_transport::{Answer, ChannelError, Limit};

use crate::call::client::answer::read_pulled;
use crate::error::CallError;
use crate::stream::client::control::Control;
use crate::stream::client::request::Request;
use crate::tag::{Operation, RequestTag};

use super::handle::Connection;
use super::link_slot::LinkRef;

impl Connection {
    /// Asks the server for a sign of life, and blocks until it comes. Returns how long that took.
    ///
    /// A process that is stopped or hangs as a whole looks like one that takes long: the connection stands,
    /// and calls wait. The server answers this question without a method. So it answers while its handlers take
    /// long, also when no worker is left for another one. It does not answer while it is stopped by a signal,
    /// hangs in a debugger or gets no processor. Then [restart](crate::WorkerHandle::restart) it if it is a
    /// worker. For any other server, [`disconnect`](Self::disconnect) ends what waits here.
    ///
    /// The question goes over the present link. It is neither made again nor seen by hooks.
    ///
    /// # Errors
    ///
    /// [`CallError::TimedOut`](crate::CallError::TimedOut) if no answer has come `within` that time, or
    /// [`CallError::NoFreeLane`](crate::CallError::NoFreeLane) if calls had all lanes for so long. Other errors are
    /// those of a call.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use witrpc::wit_service;
    ///
    /// #[wit_service]
    /// pub trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// struct Stopped;
    ///
    /// impl Clock for Stopped {
    ///     fn now(&self) -> u64 {
    ///         12
    ///     }
    /// }
    ///
    /// let clock = ClockClient::in_process(Stopped);
    /// assert!(clock.connection().ping(Duration::from_secs(10)).is_ok());
    /// clock.connection().disconnect();
    /// assert!(clock.connection().ping(Duration::from_secs(10)).is_err());
    /// ```
    pub fn ping(&self, within: Duration) -> Result<Duration, CallError> {
        let began = Instant::now();
        let link = self.inner().link();
        let answer = question(&link, within).wait(&self.message());
        self.understood(answer, within)?;
        Ok(began.elapsed())
    }

    /// Asks as [`ping`](Self::ping) does, for tasks of any executor.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub async fn ping_async(&self, within: Duration) -> Result<Duration, CallError> {
        let began = Instant::now();
        let (mut request, message) = (question(&self.inner().link(), within), self.message());
        let answer = poll_fn(|cx| request.poll(cx, &message)).await.map(|()| request.answer);
        self.understood(answer, within)?;
        Ok(began.elapsed())
    }

    fn message(&self) -> Control<'static> {
        let mut message = Control::new(RequestTag::of(Operation::Close), self.codec());
        message.add(|body| body.number("count", 0)).expect("a number always encodes");
        message
    }

    fn understood(
        &self,
        answer: Result<Answer, ChannelError>,
        within: Duration,
    ) -> Result<(), CallError> {
        let no_lane = || CallError::no_free_lane(&*self.channel());
        let answer = answer.map_err(|error| CallError::from_channel(error, Some(within), no_lane));
        read_pulled(&mut answer?, self.codec(), "ping").map(drop)
    }
}

fn question(link: &LinkRef<'_>, within: Duration) -> Request {
    Request::plain(&link.streams.lanes, Limit::Within(within))
}
