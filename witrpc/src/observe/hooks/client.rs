//! Hooks around the calls of a client.

use std::time::Duration;

use crate::error::CallError;

use super::Rejection;

/// A hook around every call of a client. It sees the call before it is sent and after it has ended, and may
/// reject it. Set it with [`ClientBuilder::hook`](crate::ClientBuilder::hook).
///
/// All methods have defaults that do nothing. They run on the caller's thread, or where its future is polled,
/// and their panics reach the caller. A call whose future is dropped ends with [`CallError::Cancelled`].
///
/// A call of a method that returns a stream has ended when the stream is open. A call of a method that takes a
/// stream has ended with its answer. A subscription to events is not a call.
///
/// # Examples
///
/// Prints what failed, and how long it took:
///
/// ```
/// use witrpc::{
///     CallEnd, CallError, ClientHook, InProcess, MadeCall, WitServer, wit_service,
/// };
///
/// struct Log(std::sync::mpsc::Sender<String>);
///
/// impl ClientHook for Log {
///     fn after(&self, call: &MadeCall, end: CallEnd<'_>, _answer_len: usize) {
///         if let CallEnd::Failed(error) = end {
///             let took = call.duration().unwrap();
///             println!("{} failed after {took:?}", call.method());
///             self.0.send(format!("{}: {error}", call.method())).unwrap();
///         }
///     }
///
///     fn wants_durations(&self) -> bool {
///         true
///     }
/// }
///
/// #[wit_service]
/// pub trait Clock {
///     fn set(&self, hour: u8);
/// }
///
/// struct Fragile;
///
/// impl Clock for Fragile {
///     fn set(&self, hour: u8) {
///         assert!(hour < 24, "there is no such hour");
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let service = ClockServer::new(Fragile);
/// let server = WitServer::builder().listen(place.clone()).service(service).start()?;
/// let (log, lines) = std::sync::mpsc::channel();
/// let clock = ClockClient::builder(place).hook(Log(log)).connect()?;
///
/// clock.set(12)?;
/// assert!(matches!(clock.set(24), Err(CallError::Panicked { .. })));
/// assert!(lines.recv()?.starts_with("set: the handler panicked"));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of a client",
    label = "does not implement `ClientHook`",
    note = "implement `witrpc::ClientHook` for it; a `ServerHook` goes to the builder of a server"
)]
pub trait ClientHook: Send + Sync + 'static {
    /// Runs before a call is sent.
    ///
    /// # Errors
    ///
    /// If this returns an error, the call is rejected: nothing is sent, and the caller gets
    /// [`CallError::Rejected`] with the reason.
    fn before(&self, call: &MadeCall) -> Result<(), Rejection> {
        let _ = call;
        Ok(())
    }

    /// Runs after a call has ended, also one that was rejected, and before its answer of that many bytes is
    /// decoded.
    fn after(&self, call: &MadeCall, end: CallEnd<'_>, answer_len: usize) {
        let _ = (call, end, answer_len);
    }

    /// Returns whether to measure [`MadeCall::duration`], which costs two clock reads a call. Called once, when
    /// the client connects.
    fn wants_durations(&self) -> bool {
        false
    }
}

/// A call, as a [`ClientHook`] sees it.
#[derive(Clone, Copy, Debug)]
pub struct MadeCall {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) request_len: usize,
    pub(crate) sent_as: Option<(u64, u64)>,
    pub(crate) duration: Option<Duration>,
}

impl MadeCall {
    /// Returns the service's name on the wire.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the method's name on the wire.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the length of the encoded arguments in bytes, without lent values.
    pub fn request_len(&self) -> usize {
        self.request_len
    }

    /// Returns the server's numbers for this client and this call, once the call has been sent:
    /// [`CallContext::client_id`](crate::CallContext::client_id) and [`call_id`](crate::CallContext::call_id).
    pub fn sent_as(&self) -> Option<(u64, u64)> {
        self.sent_as
    }

    /// Returns the time from [`before`](ClientHook::before) to the end. Present only
    /// [`after`](ClientHook::after) a call, if the hook [wants it](ClientHook::wants_durations).
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

/// The end of a call, as the client sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CallEnd<'a> {
    /// With a value.
    Ok,
    /// With the service's own error.
    AppError,
    /// With any other error.
    Failed(&'a CallError),
}
