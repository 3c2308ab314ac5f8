//! Around the handlers of a server.

use std::time::{Duration, Instant};

use witrpc_transport::ClientInfo;

use super::Rejection;

/// Stands around every call that a server takes: sees it before its handler runs and after it was
/// answered, and may reject it. Given to
/// [`WitServerBuilder::hook`](crate::WitServerBuilder::hook).
///
/// All methods have defaults that do nothing. They run on the threads of the server, so they should
/// be short and must not wait for calls of the same server. A hook that panics in
/// [`before`](Self::before) ends that call as a handler that panics does; what it panics with
/// elsewhere is dropped.
///
/// A call of a method that returns a stream has ended when the stream is open: what becomes of its
/// items is not told. One of a method that takes a stream ends with its answer. To go on with a
/// stream, to subscribe and to be told of events is no call. A caller that stops waiting is not gone:
/// its call ends with the answer that nobody picks up.
///
/// # Examples
///
/// A limit of calls for each client, and a line for each that has ended:
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
    /// Before the handler of a call, and before its arguments are decoded.
    ///
    /// # Errors
    ///
    /// The call is rejected: its handler does not run, and its caller gets the reason.
    fn before(&self, call: &ServedCall<'_>) -> Result<(), Rejection> {
        let _ = call;
        Ok(())
    }

    /// After a call has been answered with so many bytes, not counting what is lent, on whatever
    /// thread did that; also after one that was rejected, or that was not begun for another reason.
    fn after(&self, call: &ServedCall<'_>, end: ServedEnd, answer_len: usize) {
        let _ = (call, end, answer_len);
    }

    /// Whether [`ServedCall::duration`] is to be measured: two looks at the clock for each call. Asked
    /// once, at the start of the server.
    fn wants_durations(&self) -> bool {
        false
    }

    /// A client was let in, and makes its first call after this. It runs on the thread that lets clients in
    /// (within one process, on that of the client). No other client is let in or seen to go until it
    /// returns, so it must not block. While it runs, [`running`](crate::ServerHandle::running) names it.
    fn joined(&self, client: &ClientInfo) {
        let _ = client;
    }

    /// A client that was let in has gone, whichever side ended its connection. Calls of it may still run. When
    /// the server ends, this is called for each client that was connected.
    ///
    /// It is called once for each client, after [`joined`](Self::joined), and in the order in which clients go.
    /// It runs on a thread of the server that does nothing but this and drops items that gone clients have left
    /// unread, so it may block: no client waits for it. But while 1,024 clients wait for their turn, no new one
    /// is let in ([`LeftBehindLimit::Cleanups`](crate::LeftBehindLimit::Cleanups)). A
    /// [`shutdown`](crate::ServerHandle::shutdown) joins that thread, and a drop of the server does not wait for
    /// it. While it runs, [`running`](crate::ServerHandle::running) names it. If the machine refuses that thread,
    /// the call comes later: when another client comes or goes, or when a thread of the server ends.
    fn left(&self, client: &ClientInfo) {
        let _ = client;
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
    /// The service's name on the wire.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The method's name on the wire.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Who calls: number, process, user, and the [identity](ClientInfo::identity) of its token.
    pub fn client(&self) -> &'a ClientInfo {
        self.client
    }

    /// A number that no other call of this client has: [`CallContext::call_id`](crate::CallContext::call_id).
    pub fn call_id(&self) -> u64 {
        self.call_id
    }

    /// The length of the encoded arguments in bytes, not counting what is lent.
    pub fn request_len(&self) -> usize {
        self.request_len
    }

    /// When the caller stops waiting, if it said so.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// From [`before`](ServerHook::before) to the answer; only [`after`](ServerHook::after) a call, if
    /// the hook [wants it](ServerHook::wants_durations).
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

/// How a call ended on the server's side.
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
    /// What the handler returned could not be encoded, or is longer than the connection carries.
    AnswerFailed,
    /// Its deadline had passed before it was begun.
    Expired,
    /// A hook rejected it.
    Rejected,
    /// The streams of the client took as much as they may, see [`StreamLimit`](crate::StreamLimit).
    TooManyStreams,
    /// The machine had no thread for it, and it was not begun.
    NoThread,
    /// The server was shutting down and did not begin it.
    ShuttingDown,
    /// The client was gone when the answer was there, or had given up a call whose stream it feeds.
    Unheard,
}
