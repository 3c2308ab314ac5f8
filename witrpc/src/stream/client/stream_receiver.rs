//! Pulls the items of a stream.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{fmt, mem, vec};

use witrpc_transport::{Answer, ChannelError, DisconnectReason, Limit};

use crate::call::client::answer::{read_pulled, undecoded};
use crate::connection::handle::Connection;
use crate::error::CallError;
use crate::method::ReadItems;
use crate::rt::cancel_token::{CancelToken, TokenWatch};
use crate::rt::{Alarm, block_on};
use crate::tag::Operation;

use super::control::Control;
use super::link_streams::LinkStreams;
use super::request::Request;

/// The batch size from which pulling ahead pays: the next batch is pulled while the client uses
/// this one.
const PULL_AHEAD_FROM: usize = 64;

/// The client's end of a stream, and the items that have arrived.
///
/// A stream that has ended holds neither its connection nor its link, because a user may keep it
/// long after both.
pub struct StreamReceiver<T, E> {
    /// `None` once all remaining items have arrived.
    open: Option<OpenStream>,
    number: u64,
    method: &'static str,
    items: vec::IntoIter<Result<T, E>>,
    pull: Option<Request>,
    item_timeout: Option<Duration>,
    /// The limit on the wait for the next item, and the alarm for it.
    patience: Option<(Instant, Option<Alarm>)>,
    read: ReadItems<T, E>,
    /// The token that can cancel it.
    cancelled: Option<TokenWatch>,
}

/// The state that a stream needs while more items may arrive.
struct OpenStream {
    connection: Connection,
    streams: Arc<LinkStreams>,
}

impl<T, E> StreamReceiver<T, E> {
    /// Creates the receiver of an open stream.
    pub fn new(
        connection: &Connection,
        streams: &Arc<LinkStreams>,
        number: u64,
        method: &'static str,
        read: ReadItems<T, E>,
    ) -> Self {
        let open = OpenStream { connection: connection.clone(), streams: Arc::clone(streams) };
        Self {
            open: Some(open),
            number,
            method,
            items: Vec::new().into_iter(),
            pull: None,
            item_timeout: None,
            patience: None,
            read,
            cancelled: connection.token().map(CancelToken::watch),
        }
    }

    pub fn set_item_timeout(&mut self, timeout: Option<Duration>) {
        self.item_timeout = timeout;
    }

    /// Returns the next item that has arrived, unless the stream is cancelled.
    #[inline]
    pub fn here(&mut self) -> Option<Result<T, CallError<E>>> {
        if self.is_cancelled() {
            return None;
        }
        let item = self.items.next()?;
        Some(item.map_err(CallError::App))
    }

    /// Completes with the next item, or `None` at the end.
    pub fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        loop {
            if let Some(item) = self.here() {
                self.patience = None;
                return Poll::Ready(Some(item));
            }
            if self.open.is_none() && self.items.len() == 0 {
                return Poll::Ready(None);
            }
            if self.is_cancelled() {
                return Poll::Ready(Some(Err(self.cancel())));
            }
            let Some(open) = &self.open else { continue };
            if open.streams.is_forked() {
                return Poll::Ready(Some(Err(self.forget())));
            }
            let control = open.control(self.number);
            let mut pull = self.pull.take().unwrap_or_else(|| open.request());
            match pull.poll(cx, &control) {
                Poll::Ready(ended) => {
                    let taken = self.take(ended.map(|()| pull.answer));
                    if let Err(error) = taken {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Pending => {
                    self.pull = Some(pull);
                    if self.cancelled.as_mut().is_some_and(|it| it.poll(cx).is_ready()) {
                        return Poll::Ready(Some(Err(self.cancel())));
                    }
                    ready!(self.poll_patience(cx));
                    let after = self.item_timeout;
                    return Poll::Ready(Some(Err(CallError::TimedOut { after })));
                }
            }
        }
    }

    /// Blocks the thread until there is an item, or `None` at the end.
    pub fn wait_item(&mut self) -> Option<Result<T, CallError<E>>> {
        if self.item_timeout.is_some() || self.cancelled.is_some() {
            return block_on(|cx| self.poll_item(cx));
        }
        loop {
            if let Some(item) = self.here() {
                return Some(item);
            }
            let open = self.open.as_ref()?;
            if open.streams.is_forked() {
                return Some(Err(self.forget()));
            }
            let pull = self.pull.take().unwrap_or_else(|| open.request());
            let ended = pull.wait(&open.control(self.number));
            if let Err(error) = self.take(ended) {
                return Some(Err(error));
            }
        }
    }

    #[inline]
    fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(TokenWatch::is_over)
    }

    /// Ends the stream because its token was cancelled.
    #[cold]
    fn cancel(&mut self) -> CallError<E> {
        self.items = Vec::new().into_iter();
        self.end();
        CallError::Cancelled
    }

    /// Leaves everything to the parent process, because this one is a fork.
    #[cold]
    fn forget(&mut self) -> CallError<E> {
        mem::forget((self.pull.take(), self.patience.take()));
        self.open = None;
        CallError::Disconnected(DisconnectReason::Forked)
    }

    /// Ends the stream, so that the server makes no further items.
    fn end(&mut self) {
        if let Some(open) = self.let_go() {
            // Drop the pull first: the close may need its lane.
            self.pull = None;
            open.streams.close(self.number);
        }
    }

    /// Ends the stream unless the result is put back.
    fn let_go(&mut self) -> Option<OpenStream> {
        self.patience = None;
        self.open.take()
    }

    /// Takes the outcome of a pull.
    fn take(&mut self, ended: Result<Answer, ChannelError>) -> Result<(), CallError<E>> {
        let open = self.let_go().expect("what is over pulls nothing");
        let taken = match ended {
            Ok(answer) => self.read(open, answer),
            Err(error) => {
                // Unless the link is lost, the server does not know of this error.
                open.streams.close(self.number);
                Err(open.connection.call_error(error).once_begun())
            }
        };
        taken.map_err(|error| error.map_app(|none| match none {}))
    }

    /// Takes the items of a batch. The stream continues if there are more.
    fn read(&mut self, open: OpenStream, mut answer: Answer) -> Result<(), CallError> {
        let Some(body) = read_pulled(&mut answer, open.streams.codec, self.method)? else {
            return Ok(());
        };
        let read = body.decoder().whole(|from| {
            let is_over = from.number("over")? != 0;
            Ok((is_over, (self.read)(from)?))
        });
        match read {
            // A client that accepted an empty batch would pull for ever.
            Ok((false, items)) if items.is_empty() => {
                open.streams.close(self.number);
                let message = "a batch of its stream has no items".to_owned();
                Err(CallError::Protocol { message })
            }
            Ok((true, items)) => {
                self.items = items.into_iter();
                Ok(())
            }
            Ok((false, items)) => {
                if items.len() >= PULL_AHEAD_FROM {
                    self.pull = Request::ahead(&open.streams.lanes, &open.control(self.number));
                }
                self.items = items.into_iter();
                self.open = Some(open);
                Ok(())
            }
            Err(error) => {
                // The server does not know that the batch was bad.
                open.streams.close(self.number);
                Err(undecoded(error))
            }
        }
    }

    /// Completes when the wait for the next item has reached its limit.
    fn poll_patience(&mut self, cx: &Context<'_>) -> Poll<()> {
        let (Some(timeout), Some(open)) = (self.item_timeout, &self.open) else {
            return Poll::Pending;
        };
        if self.patience.is_none() {
            self.patience = Instant::now().checked_add(timeout).map(|until| (until, None));
        }
        let Some((until, alarm)) = &mut self.patience else { return Poll::Pending };
        ready!(open.streams.lanes.permits.timer.poll_until(*until, cx, alarm));
        self.patience = None;
        Poll::Ready(())
    }
}

impl OpenStream {
    fn request(&self) -> Request {
        let timeout = self.connection.call_timeout();
        Request::for_items(&self.streams.lanes, timeout.map_or(Limit::Never, Limit::Within))
    }

    fn control(&self, number: u64) -> Control<'static> {
        Control::of_stream(Operation::Pull, number, self.streams.codec)
    }
}

impl<T, E> Drop for StreamReceiver<T, E> {
    fn drop(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.streams.is_forked()) {
            self.forget();
        }
        self.end();
    }
}

impl<T, E> fmt::Debug for StreamReceiver<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReceiver")
            .field("method", &self.method)
            .field("here", &self.items.len())
            .field("over", &self.open.is_none())
            .finish_non_exhaustive()
    }
}
