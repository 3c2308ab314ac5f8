//! How clients subscribe, for generated code.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;

use crate::connection::handle::Connection;
use crate::error::{CallError, EventError};
use crate::method::EventItem;
use crate::rt::block_on;
use crate::rt::cancel_token::CancelToken;

use super::asynchronous::EventStream;
use super::blocking::Events;
use super::guard::{EventGuard, Reaction};
use super::inbox::Inbox;
use super::subscription::Subscription;

/// Implements `XClient::event()`.
pub fn subscribe_blocking<T: EventItem>(connection: &Connection) -> Result<Events<T>, CallError> {
    let inbox = Inbox::new(connection, T::NUMBER);
    begin_blocking(&inbox.subscription)?;
    Ok(Events::new(inbox))
}

/// Implements `XAsyncClient::event()`.
pub async fn subscribe_async<T: EventItem>(
    connection: &Connection,
) -> Result<EventStream<T>, CallError> {
    let inbox = Inbox::new(connection, T::NUMBER);
    begin(&inbox.subscription).await?;
    Ok(EventStream::new(inbox))
}

/// Implements `XClient::on_event()`.
pub fn attach_blocking<T: EventItem>(
    connection: &Connection,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> Result<EventGuard, CallError> {
    let guard = reacting(connection, react);
    begin_blocking(guard.subscription())?;
    Ok(guard)
}

/// Implements `XAsyncClient::on_event()`.
pub async fn attach_async<T: EventItem>(
    connection: &Connection,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> Result<EventGuard, CallError> {
    let guard = reacting(connection, react);
    begin(guard.subscription()).await?;
    Ok(guard)
}

fn reacting<T: EventItem>(
    connection: &Connection,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> EventGuard {
    let closed = Arc::<AtomicBool>::default();
    let reaction = Reaction::new(connection.codec(), &closed, react);
    EventGuard::new(closed, Subscription::new(connection, T::NUMBER, reaction))
}

/// Sends the subscription to the server, and blocks the thread until that knows it.
pub fn begin_blocking(subscription: &Subscription) -> Result<(), CallError> {
    let mut begun = pin!(begin(subscription));
    block_on(|cx| begun.as_mut().poll(cx))
}

/// Sends the subscription to the server, unless the token of the client's options is cancelled.
async fn begin(subscription: &Subscription) -> Result<(), CallError> {
    let mut begun = pin!(subscription.begin());
    let mut cancelled = subscription.connection.token().map(CancelToken::watch);
    poll_fn(|cx| {
        if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
            return Poll::Ready(Err(CallError::Cancelled));
        }
        begun.as_mut().poll(cx)
    })
    .await
}
