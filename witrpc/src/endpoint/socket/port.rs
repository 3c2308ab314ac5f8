//! A server's listening socket, the thread that accepts clients, and all other threads of the transport there.
//!
//! | thread | ends |
//! | --- | --- |
//! | `witrpc-sock-a` accepts | when the server closes the port |
//! | `witrpc-sock-c` greets a client, then reads from it | with the connection; a greeting within its time or when the port closes |
//! | `witrpc-sock-w` writes to a client | with the connection; at the end of the server one second later at most |

use std::collections::HashMap;
use std::net::Shutdown as Way;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::thread::{ThreadId, current};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use witrpc_rt::{PeerCredentials, lock, wait_until};
use witrpc_transport::Admission;

use crate::error::BindError;
use crate::queue::limits::Limits;
use crate::queue::outlet::MeetingPoint;
use crate::queue::server::ServerQueue;
use crate::rt::Threads;
use crate::transport::BindConfig;

use super::claim::SocketClaim;
use super::frame::SocketRefusal;
use super::place::SocketPlace;
use super::serve;
use super::stream::send_some;

/// How many clients may be in their handshake at once. Further ones wait in the queue of the listening socket.
const MAX_GREETINGS: usize = 64;

/// How long the thread that accepts waits after the system refused it a descriptor.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// A server's meeting point. Its threads keep it, and it keeps no server.
pub struct SocketPort {
    label: String,
    pub place: SocketPlace,
    /// How long a client may take to be let in.
    pub handshake_timeout: Duration,
    claim: Mutex<Option<SocketClaim>>,
    /// The other end of the socket that the accepting thread watches.
    stop: UnixStream,
    process: u32,
    server: OnceLock<Weak<ServerQueue>>,
    threads: Threads,
    state: Mutex<PortState>,
    /// A greeting has ended, or the port has closed.
    changed: Condvar,
}

#[derive(Default)]
struct PortState {
    is_closed: bool,
    /// The sockets of clients that are not let in yet.
    greetings: HashMap<u64, Arc<UnixStream>>,
    next_greeting: u64,
    /// The transport's threads, to which a join cannot wait for itself.
    own_threads: Vec<ThreadId>,
}

/// A client that is not let in yet. The port closes its socket when it closes.
pub struct Greeting {
    port: Arc<SocketPort>,
    number: u64,
}

impl SocketPort {
    /// Listens at a place, and accepts clients from here on.
    pub fn bind(
        place: &SocketPlace,
        limits: Limits,
        handshake_timeout: Duration,
        config: BindConfig,
    ) -> Result<Arc<ServerQueue>, BindError> {
        let (claim, listener) = SocketClaim::new(place)?;
        let failed = |doing: &str| {
            let doing = doing.to_owned();
            move |source| BindError::Io { doing, source }
        };
        let (stop, stopped) = UnixStream::pair().map_err(failed("make a pair of sockets"))?;
        let port = Arc::new(Self {
            label: place.label(),
            place: place.clone(),
            handshake_timeout,
            claim: Mutex::new(Some(claim)),
            stop,
            process: std::process::id(),
            server: OnceLock::new(),
            threads: Threads::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let admission = Arc::clone(&config.admission);
        let server = ServerQueue::new(Arc::clone(&port) as _, config, limits)?;
        port.server.get_or_init(|| Arc::downgrade(&server));
        let accepts = Arc::clone(&port);
        port.spawn("witrpc-sock-a", move || accepts.accept_all(&listener, &stopped, &*admission))
            .map_err(failed("start the thread that accepts clients"))?;
        Ok(server)
    }

    /// Returns the server, unless it has ended.
    pub fn server(&self) -> Option<Arc<ServerQueue>> {
        self.server.get().and_then(Weak::upgrade)
    }

    /// Starts a thread of the transport.
    pub fn spawn(
        self: &Arc<Self>,
        name: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        let port = Arc::clone(self);
        self.threads.spawn(name.to_owned(), move || {
            lock(&port.state).own_threads.push(current().id());
            run();
            lock(&port.state).own_threads.retain(|thread| *thread != current().id());
        })
    }

    fn accept_all(
        self: &Arc<Self>,
        listener: &UnixListener,
        stopped: &UnixStream,
        admission: &dyn Admission,
    ) {
        while self.wait_for_place() {
            let mut polled =
                [PollFd::new(listener, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
            match poll(&mut polled, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return admission.failed(),
            }
            match listener.accept() {
                Ok((client, _)) => self.greet(client),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    let time = Timespec::try_from(REFUSED_PAUSE).ok();
                    // It only shortens the pause.
                    let _ = poll(&mut [PollFd::new(stopped, PollFlags::IN)], time.as_ref());
                }
            }
        }
    }

    /// Waits until another client may be greeted. Returns `false` once the port is closed.
    fn wait_for_place(&self) -> bool {
        let has_place =
            |state: &PortState| state.is_closed || state.greetings.len() < MAX_GREETINGS;
        !wait_until(&self.changed, lock(&self.state), None, has_place).0.is_closed
    }

    /// Serves a client that has come, on a thread of its own. A user that is not allowed is told at once.
    fn greet(self: &Arc<Self>, client: UnixStream) {
        let Ok(who) = PeerCredentials::of(&client) else { return };
        if !self.place.allows(who.uid) {
            // A full buffer is not possible yet; a client that has gone is not told.
            let _ = send_some(&client, &SocketRefusal::NotAllowed.frame());
            return;
        }
        let client = Arc::new(client);
        // Some systems pass the mode of the listening socket on.
        if client.set_nonblocking(false).is_err() {
            return;
        }
        let Some(greeting) = self.begin_greeting(&client) else { return };
        let port = Arc::clone(self);
        // A refused thread drops the client, which finds that the server hung up.
        let _ = self.spawn("witrpc-sock-c", move || serve::run(&port, greeting, &client, who));
    }

    fn begin_greeting(self: &Arc<Self>, client: &Arc<UnixStream>) -> Option<Greeting> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return None;
        }
        let number = state.next_greeting;
        state.next_greeting += 1;
        state.greetings.insert(number, Arc::clone(client));
        Some(Greeting { port: Arc::clone(self), number })
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        lock(&self.port.state).greetings.remove(&self.number);
        self.port.changed.notify_all();
    }
}

impl MeetingPoint for SocketPort {
    fn name(&self) -> &str {
        &self.label
    }

    fn close(&self) {
        drop(lock(&self.claim).take());
        if std::process::id() != self.process {
            return;
        }
        let mut state = lock(&self.state);
        state.is_closed = true;
        for socket in state.greetings.values() {
            // The client may have closed it already.
            let _ = socket.shutdown(Way::Both);
        }
        drop(state);
        self.changed.notify_all();
        let _ = self.stop.shutdown(Way::Both);
    }

    fn join(&self, until: Option<Instant>) -> bool {
        let is_own = lock(&self.state).own_threads.contains(&current().id());
        !is_own && self.threads.join(until)
    }
}
