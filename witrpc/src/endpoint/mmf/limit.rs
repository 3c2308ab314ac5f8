//! The limits of a connect, in the terms of the channel.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use witrpc_mmf::{ConnectLimit, Interrupt};

use crate::error::ConnectError;
use crate::rt::cancel_token::CancelToken;

/// Connects within a time, unless the token is cancelled before.
pub fn within<T>(
    until: Option<Instant>,
    cancel: Option<&CancelToken>,
    connect: impl FnOnce(&ConnectLimit) -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let Some(cancel) = cancel else {
        return connect(&ConnectLimit { until, interrupt: None });
    };
    let made = Interrupt::new();
    let interrupt = Arc::new(made.map_err(|source| {
        let doing = "make an eventfd that ends connecting".to_owned();
        ConnectError::Io { doing, source }
    })?);
    let waker = Waker::from(Arc::clone(&interrupt));
    let mut watch = cancel.watch();
    if watch.poll(&Context::from_waker(&waker)).is_ready() {
        waker.wake();
    }
    connect(&ConnectLimit { until, interrupt: Some(interrupt) })
}
