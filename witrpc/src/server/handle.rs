//! A running server, as its user holds it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use witrpc_transport::{ClientInfo, Shutdown};

use crate::pool::Pool;
use crate::pool::running::RunningMethod;
use crate::pool::stop_reason::StopReason;

use super::admission::ServerAdmission;
use super::builder::WitServerBuilder;
use super::end::end;
use super::metrics::Metrics;
use crate::observe::method_meter::MethodMetrics;

/// A server that runs on threads of its own until it is shut down or dropped.
///
/// Dropping it closes all connections and frees the name, at once. What waits on the server ends with it. That
/// includes the iterators and streams that clients send to methods, emissions that wait for room, and futures
/// that wait for a cancel. The futures of `async fn` handlers are dropped, unless they run
/// [elsewhere](WitServerBuilder::spawn_with). The drop does not wait for user code. A handler that runs ends on
/// its thread, and its answer is discarded. Hooks are called for each client that was connected, on a separate
/// thread. When the last of that has returned, no thread of the server is left. For a graceful end that answers
/// calls and waits for the threads, use [`shutdown`](Self::shutdown).
///
/// The server handles no signals. A process that is killed, by Ctrl-C too, leaves nothing that blocks the next
/// server of that name. In a forked child the server does not run: it counts as stopped there,
/// [`wait`](Self::wait) says so, and dropping it does nothing. A program that becomes a daemon must fork first
/// and start its server then.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// use witrpc::{InProcess, StopReason, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Greeter {
///     fn greet(&self, name: &str) -> String;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     fn greet(&self, name: &str) -> String {
///         format!("Good day, {name}")
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new(); // or a name, for other processes
/// let server = WitServer::builder()
///     .listen(place.clone())
///     .service(GreeterServer::new(Polite))
///     .max_workers(8)
///     .start()?;
///
/// let greeter = GreeterClient::connect(place)?;
/// assert_eq!(greeter.greet("Ada")?, "Good day, Ada");
///
/// // Another thread ends it; this one waits for that.
/// let handle = server.handle();
/// let ended = std::thread::spawn(move || handle.shutdown(Duration::from_secs(5)));
/// assert_eq!(server.wait(), StopReason::ShutDown);
/// assert!(ended.join().unwrap(), "every call was answered");
/// # Ok(())
/// # }
/// ```
#[must_use = "a server that is dropped stops at once: keep it, and wait()"]
pub struct WitServer {
    handle: ServerHandle,
}

/// A handle that inspects and controls a server from anywhere. It can be cloned and sent to other threads, and
/// does not keep the server running.
#[derive(Clone)]
pub struct ServerHandle {
    pool: Arc<Pool>,
    door: Arc<ServerAdmission>,
}

impl WitServer {
    /// Returns a builder, which decides what to serve.
    pub fn builder() -> WitServerBuilder {
        WitServerBuilder::new()
    }

    pub(crate) fn new(handle: ServerHandle) -> Self {
        Self { handle }
    }

    /// Blocks until the server has stopped, and returns why. In a forked child it returns
    /// [`StopReason::Forked`] at once.
    pub fn wait(&self) -> StopReason {
        self.handle.pool.life.until_stopped_blocking()
    }

    /// Waits until the server has stopped, on any executor, and returns why. In a forked child it returns
    /// [`StopReason::Forked`] at once.
    pub async fn stopped(&self) -> StopReason {
        self.handle.pool.life.until_stopped().await
    }

    /// Returns a handle to the server, for other threads. It has all the methods that follow here.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Returns the name that clients connect to: [`ServerHandle::name`].
    pub fn name(&self) -> &str {
        self.handle.name()
    }

    /// Returns the connected clients: [`ServerHandle::clients`].
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.handle.clients()
    }

    /// Returns what the server has done and is doing: [`ServerHandle::metrics`].
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }

    /// Returns what the server has counted of its methods: [`ServerHandle::method_metrics`].
    pub fn method_metrics(&self) -> Vec<MethodMetrics> {
        self.handle.method_metrics()
    }

    /// Closes the connection of one client: [`ServerHandle::disconnect`].
    pub fn disconnect(&self, client_id: u64) -> bool {
        self.handle.disconnect(client_id)
    }

    /// Turns new clients away from now on: [`ServerHandle::stop_accepting`].
    pub fn stop_accepting(&self) {
        self.handle.stop_accepting();
    }

    /// Returns the methods that run now: [`ServerHandle::running`].
    pub fn running(&self) -> Vec<RunningMethod> {
        self.handle.running()
    }

    /// Shuts the server down gracefully: [`ServerHandle::shutdown`].
    pub fn shutdown(&self, deadline: Duration) -> bool {
        self.handle.shutdown(deadline)
    }
}

impl Drop for WitServer {
    fn drop(&mut self) {
        self.handle.door.close();
        end(&self.handle.pool, &self.handle.door, Shutdown::Now, StopReason::ShutDown);
    }
}

impl ServerHandle {
    pub(crate) fn new(pool: Arc<Pool>, door: Arc<ServerAdmission>) -> Self {
        Self { pool, door }
    }

    /// Returns the name that clients connect to. It is empty for an endpoint without one.
    pub fn name(&self) -> &str {
        self.pool.port().name()
    }

    /// Returns the connected clients.
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.pool.port().clients()
    }

    /// Returns what the server has done since its start and is doing now, as numbers. Other processes of the
    /// same user read them by [`witrpc::metrics`](crate::metrics).
    pub fn metrics(&self) -> Metrics {
        Metrics::of(&self.pool, &self.door)
    }

    /// Returns what the server has counted of each of its methods, in the order of its services. Empty unless
    /// [`WitServerBuilder::method_metrics`](crate::WitServerBuilder::method_metrics) is on.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{InProcess, WitServer, wit_service};
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
    /// let service = ClockServer::new(Stopped);
    /// let server =
    ///     WitServer::builder().listen(place.clone()).service(service).method_metrics(true).start()?;
    /// ClockClient::connect(place)?.now()?;
    ///
    /// let now = &server.method_metrics()[0];
    /// assert_eq!((&*now.service, &*now.method, now.calls, now.errors), ("Clock", "now", 1, 0));
    /// println!("median: {:?}", now.latency.quantile(0.5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn method_metrics(&self) -> Vec<MethodMetrics> {
        self.door.method_metrics().unwrap_or_default()
    }

    /// Closes the connection of one client. Its calls in flight, and later ones, report that. Returns `false`
    /// if no client of that id is connected.
    pub fn disconnect(&self, client_id: u64) -> bool {
        self.pool.port().disconnect(client_id)
    }

    /// Turns new clients away from now on. Connected clients go on.
    pub fn stop_accepting(&self) {
        self.door.close();
        self.pool.port().stop_accepting();
    }

    /// Returns the methods that run now, one entry a call. It lists blocking handlers, `async fn` handlers that
    /// wait, and streams that are made or taken. It also works after the server has ended, for what still runs
    /// then. A call that begins or ends meanwhile may be missing or present. An `async fn` that begins to wait
    /// at this moment may be listed twice.
    ///
    /// User code that runs for clients that come and go is listed as well, under the service `witrpc`:
    /// `ServerHook::joined`, `ServerHook::left` and `drop_unread_items`.
    pub fn running(&self) -> Vec<RunningMethod> {
        let mut running = self.pool.running();
        running.extend(self.door.farewell().running());
        running
    }

    /// Shuts the server down gracefully, within the time given. It turns new clients and new calls away and has
    /// all calls answered that have arrived. Then it closes the connections, frees the name, and waits until
    /// all threads of the server have ended.
    ///
    /// A call that returns a stream is answered when the stream is open. The shutdown does not wait for such
    /// streams and subscriptions, since many of them never end by themselves. They end with an error. Uploads
    /// of calls that have begun go on until these calls are answered.
    ///
    /// Returns whether all calls were answered and all threads have ended. Otherwise the server has ended all
    /// the same, as if it had been dropped, and [`running`](Self::running) names the methods that still run.
    /// Each ends on its thread, and its answer is discarded.
    ///
    /// The result is `false` in these cases too:
    ///
    /// - The server was dropped, was shut down in less time, or had [failed](StopReason::Failed) before.
    /// - A peer of this process has passed a descriptor that takes longer than the deadline to close.
    /// - Hooks, drops of unread items, or destructors of thread-locals on the server's threads take longer than
    ///   that.
    ///
    /// A handler that calls this waits for itself, and so for the whole time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::sync::Mutex;
    /// use std::time::Duration;
    /// use witrpc::{InProcess, WitServer, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Sleeper {
    ///     fn sleep(&self);
    /// }
    ///
    /// struct Heavy(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);
    ///
    /// impl Sleeper for Heavy {
    ///     fn sleep(&self) {
    ///         self.0.send(()).unwrap();
    ///         let _ = self.1.lock().unwrap().recv();
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let place = InProcess::new();
    /// let (asleep, has_begun) = mpsc::channel();
    /// let (alarm, rings) = mpsc::channel();
    /// let service = SleeperServer::new(Heavy(asleep, Mutex::new(rings)));
    /// let server = WitServer::builder().listen(place.clone()).service(service).start()?;
    /// let client = SleeperClient::connect(place)?;
    /// let call = std::thread::spawn(move || client.sleep());
    /// has_begun.recv()?;
    ///
    /// assert!(!server.shutdown(Duration::from_millis(1)));
    /// let running = server.running();
    /// assert_eq!((running[0].service(), running[0].method()), ("Sleeper", "sleep"));
    ///
    /// alarm.send(())?;
    /// // No call is left that could be answered; this waits for the threads alone.
    /// server.shutdown(Duration::from_secs(5));
    /// assert!(server.running().is_empty());
    /// assert!(call.join().unwrap().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self, deadline: Duration) -> bool {
        let until = Instant::now().checked_add(deadline);
        self.door.close();
        self.pool.drain();
        let drained = self.pool.life.wait_quiet(until);
        let how = if drained { Shutdown::Drained } else { Shutdown::Now };
        end(&self.pool, &self.door, how, StopReason::ShutDown);
        // Another end, such as a drop, may have come first: then the clients were given that reason.
        self.pool.join(until) && self.door.farewell().join(until) && self.pool.life.has_drained()
    }
}

impl fmt::Debug for WitServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WitServer").field(&self.handle.pool.port()).finish()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerHandle").field(&self.pool.port()).finish()
    }
}
