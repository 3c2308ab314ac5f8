//! Hooks around the handlers of a server.

use std::time::{Duration, Instant};

use witrpc_transport::{ClientInfo, NameChange};

use super::Rejection;

/// A hook around every call that a server takes. It sees the call before its handler runs and after it was
/// answered, and may reject it. Set it with [`WitServerBuilder::hook`](crate::WitServerBuilder::hook).
///
/// All methods have defaults that do nothing. They run on the threads of the server, so they should be short
/// and must not wait for calls of the same server. A panic in [`before`](Self::before) ends that call like a
/// panic of its handler; a panic elsewhere is dropped.
///
/// A call of a method that returns a stream has ended when the stream is open: the hook does not see its items.
/// A call of a method that takes a stream ends with its answer. Later requests of a stream, subscriptions and
/// the delivery of events are not calls. When a caller stops waiting, its call still ends with the answer,
/// which is discarded.
///
/// # Examples
///
/// Limits the calls of each client, and prints a line for each that has ended:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use witrpc::{
///     CallError, ClientInfo, InProcess, Rejection, ServedCall, ServedEnd, ServerHook, WitServer,
///     wit_service,
/// };
///
/// #[derive(Default)]
/// struct Toll {
///     calls: Mutex<HashMap<u64, u32>>,
/// }
///
/// impl ServerHook for Toll {
///     fn before(&self, call: &ServedCall<'_>) -> Result<(), Rejection> {
///         let mut calls = self.calls.lock().unwrap();
///         let made = calls.entry(call.client().id).or_default();
///         *made += 1;
///         if *made > 2 {
///             return Err(Rejection::new("two calls are free"));
///         }
///         Ok(())
///     }
///
///     fn after(&self, call: &ServedCall<'_>, end: ServedEnd, answer_len: usize) {
///         println!("{}::{}: {end:?}, {answer_len} bytes", call.service(), call.method());
///     }
///
///     fn left(&self, client: &ClientInfo) {
///         self.calls.lock().unwrap().remove(&client.id);
///     }
/// }
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
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let server = WitServer::builder()
///     .listen(place.clone())
///     .service(ClockServer::new(Stopped))
///     .hook(Toll::default())
///     .start()?;
///
/// let clock = ClockClient::connect(place)?;
/// assert_eq!((clock.now()?, clock.now()?), (12, 12));
/// let error = clock.now().unwrap_err();
/// assert!(matches!(&error, CallError::Rejected { reason, .. } if reason == "two calls are free"));
/// assert!(!error.maybe_executed());
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of a server",
    label = "does not implement `ServerHook`",
    note = "implement `witrpc::ServerHook` for it; a `ClientHook` goes to the builder of a client"
)]
pub trait ServerHook: Send + Sync + 'static {
    /// Runs before the handler of a call, and before its arguments are decoded.
    ///
    /// # Errors
    ///
    /// If this returns an error, the call is rejected: its handler does not run, and its caller gets the
    /// reason.
    fn before(&self, call: &ServedCall<'_>) -> Result<(), Rejection> {
        let _ = call;
        Ok(())
    }

    /// Runs after a call has been answered, on the thread that did so. This includes calls that were rejected
    /// or not begun for another reason. `answer_len` is in bytes, without lent values.
    fn after(&self, call: &ServedCall<'_>, end: ServedEnd, answer_len: usize) {
        let _ = (call, end, answer_len);
    }

    /// Returns whether to measure [`ServedCall::duration`], which costs two clock reads a call. Called once, at
    /// the start of the server.
    fn wants_durations(&self) -> bool {
        false
    }

    /// Runs when a client is let in, before its first call. It runs on the thread that lets clients in (within
    /// one process, on that of the client). Until it returns, no other client is let in or seen to leave, so it
    /// must not block. While it runs, [`running`](crate::ServerHandle::running) names it.
    fn joined(&self, client: &ClientInfo) {
        let _ = client;
    }

    /// Runs when a client that was let in has gone, whichever side ended its connection. Its calls may still
    /// run. When the server ends, this is called for each connected client.
    ///
    /// It is called once for each client, after [`joined`](Self::joined), and in the order in which clients
    /// leave. It may block, since it runs on a separate thread of the server, and no client waits for it. That
    /// thread also drops items that clients have left unread. But while 1,024 clients wait for this call, no
    /// new one is let in ([`LeftBehindLimit::Cleanups`](crate::LeftBehindLimit::Cleanups)). A
    /// [`shutdown`](crate::ServerHandle::shutdown) joins that thread, and a drop of the server does not wait
    /// for it. While it runs, [`running`](crate::ServerHandle::running) names it. If the machine refuses that
    /// thread, the call comes later: when another client arrives or leaves, or when a thread of the server
    /// ends.
    fn left(&self, client: &ClientInfo) {
        let _ = client;
    }

    /// Runs when another program has removed the files of the server's name, such as a log-out that removes what
    /// its user left in shared memory (`RemoveIPC`). The server publishes the name anew by itself, and the change
    /// says whether that has succeeded. It runs on the thread of [`left`](Self::left), and may block.
    fn name_changed(&self, change: &NameChange) {
        let _ = change;
    }
}

/// A call, as a [`ServerHook`] sees it.
#[derive(Clone, Copy, Debug)]
pub struct ServedCall<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) client: &'a ClientInfo,
    pub(crate) call_id: u64,
    pub(crate) request_len: usize,
    pub(crate) deadline: Option<Instant>,
    pub(crate) duration: Option<Duration>,
}

impl<'a> ServedCall<'a> {
    /// Returns the service's name on the wire.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the method's name on the wire.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the caller: number, process, user, and the [identity](ClientInfo::identity) of its token.
    pub fn client(&self) -> &'a ClientInfo {
        self.client
    }

    /// Returns a number that is unique among the calls of this client:
    /// [`CallContext::call_id`](crate::CallContext::call_id).
    pub fn call_id(&self) -> u64 {
        self.call_id
    }

    /// Returns the length of the encoded arguments in bytes, without lent values.
    pub fn request_len(&self) -> usize {
        self.request_len
    }

    /// Returns when the caller stops waiting, if it has set a deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns the time from [`before`](ServerHook::before) to the answer. Present only
    /// [`after`](ServerHook::after) a call, if the hook [wants it](ServerHook::wants_durations).
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

/// The end of a call, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServedEnd {
    /// With the handler's value.
    Ok,
    /// With the service's own error.
    AppError,
    /// The handler panicked, or its future was dropped.
    Panicked,
    /// The arguments could not be decoded.
    BadRequest,
    /// The handler's result could not be encoded, or is longer than the connection carries.
    AnswerFailed,
    /// Its deadline had passed before it was begun.
    Expired,
    /// A hook rejected it.
    Rejected,
    /// The client's streams had reached their limit, see [`StreamLimit`](crate::StreamLimit).
    TooManyStreams,
    /// The machine refused a thread for it, and it was not begun.
    NoThread,
    /// The server was shutting down and did not begin it.
    ShuttingDown,
    /// The client was gone when the answer was ready, or had given up a call whose stream it sends.
    Unheard,
}
