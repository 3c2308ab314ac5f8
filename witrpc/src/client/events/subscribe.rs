//! How clients subscribe, for generated code.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;

use super::guard::Reaction;
use super::queue::Queue;
use super::subscriptions::Subscription;
use super::{EventGuard, EventItem, EventStream, Events};
use crate::client::flight::block_on;
use crate::client::{CancelToken, Connection};
use crate::error::{CallError, EventError};

/// `XClient::event()`.
pub fn subscribe_blocking<T: EventItem>(
    connection: &Connection,
    event: u16,
) -> Result<Events<T>, CallError> {
    let (subscription, queue) = queued(connection, event)?;
    wait(begin(&subscription))?;
    Ok(Events::new(subscription, queue, connection.codec()))
}

/// `XAsyncClient::event()`.
pub async fn subscribe_async<T: EventItem>(
    connection: &Connection,
    event: u16,
) -> Result<EventStream<T>, CallError> {
    let (subscription, queue) = queued(connection, event)?;
    begin(&subscription).await?;
    Ok(EventStream::new(subscription, queue, connection.codec()))
}

/// `XClient::on_event()`.
pub fn attach_blocking<T: EventItem>(
    connection: &Connection,
    event: u16,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> Result<EventGuard, CallError> {
    let guard = reacting(connection, event, react)?;
    wait(begin(guard.subscription()))?;
    Ok(guard)
}

/// `XAsyncClient::on_event()`.
pub async fn attach_async<T: EventItem>(
    connection: &Connection,
    event: u16,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> Result<EventGuard, CallError> {
    let guard = reacting(connection, event, react)?;
    begin(guard.subscription()).await?;
    Ok(guard)
}

fn queued(connection: &Connection, event: u16) -> Result<(Subscription, Arc<Queue>), CallError> {
    let overflow = connection.inner().descriptor.events[usize::from(event)].overflow;
    let queue = Queue::new(overflow);
    let subscription = Subscription::new(connection, event, Arc::clone(&queue) as _)?;
    Ok((subscription, queue))
}

fn reacting<T: EventItem>(
    connection: &Connection,
    event: u16,
    react: impl FnMut(Result<T, EventError>) + Send + 'static,
) -> Result<EventGuard, CallError> {
    let closed = Arc::<AtomicBool>::default();
    let reaction = Reaction::new(connection.codec(), &closed, react);
    let subscription = Subscription::new(connection, event, reaction)?;
    Ok(EventGuard::new(closed, subscription))
}

/// Tells the server, unless the token of the client's options is cancelled.
async fn begin(subscription: &Subscription) -> Result<(), CallError> {
    let mut begun = pin!(subscription.begin());
    let mut cancelled = subscription.connection().token().map(CancelToken::watch);
    poll_fn(|cx| {
        if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
            return Poll::Ready(Err(CallError::Cancelled));
        }
        begun.as_mut().poll(cx)
    })
    .await
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    block_on(|cx| future.as_mut().poll(cx))
}
