//! The server's end: its clients, and what its threads see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use witrpc_rt::lock;
use witrpc_transport::{
    Admission, ChannelError, ClientInfo, MAX_HELLO_LEN, Only, Peer, Request, Scanner, Serve,
    ServerPort, Session, Shutdown, Ticket,
};

use crate::error::{BindError, ConnectError};
use crate::transport::{BindConfig, Guard};

use super::arrivals::{Arrivals, Poller};
use super::attached::Attached;
use super::end::End;
use super::limits::Limits;
use super::outlet::{AnswerSink, MeetingPoint};
use super::remote::RemoteClient;

/// A server's end, for clients that come by a transport that moves messages.
///
/// It keeps the requests of all clients until a thread of the server takes them, and lets the clients take
/// turns. Dropping it without [`close`](ServerPort::close) looks to its clients as if the server had died.
pub struct ServerQueue {
    /// Kept, so that clients find this server for as long as it serves.
    place: Arc<dyn MeetingPoint>,
    admission: Arc<dyn Admission>,
    guard: Arc<Guard>,
    limits: Limits,
    arrivals: Arc<Arrivals>,
    state: Mutex<ServerQueueState>,
}

struct ServerQueueState {
    stage: PortStage,
    links: BTreeMap<u64, Arc<dyn Attached>>,
}

/// The stage of a server, which only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PortStage {
    /// Takes clients.
    Open,
    /// Takes no new clients.
    Full,
    /// Takes no new calls.
    Draining,
    /// Takes nothing.
    Closed,
}

impl ServerQueue {
    /// Returns a server with these limits, which keeps `place` while it exists. A transport that listens with
    /// threads of its own gives them a [`Weak`] reference to the server.
    ///
    /// # Errors
    ///
    /// [`BindError::LimitOutOfRange`] if a limit is out of range.
    pub fn new(
        place: Arc<dyn MeetingPoint>,
        config: BindConfig,
        limits: Limits,
    ) -> Result<Arc<Self>, BindError> {
        limits.check()?;
        let BindConfig { admission, guard, .. } = config;
        let state = ServerQueueState { stage: PortStage::Open, links: BTreeMap::new() };
        let (arrivals, state) = (Arc::default(), Mutex::new(state));
        Ok(Arc::new(Self { place, admission, guard, limits, arrivals, state }))
    }

    /// Returns the limits of each client.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns whether the place still belongs to this server.
    pub(crate) fn is_serving(&self) -> bool {
        lock(&self.state).stage != PortStage::Closed
    }

    /// Returns the guard, which decides which clients are heard at all. A transport asks it first, and passes
    /// its findings about a client to [`connect`](Self::connect). Without them, a server that requires anything
    /// lets no client in.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Returns the encoded metrics of the server, which a transport hands unchanged to other processes of the
    /// server's user: see [`Admission::report`].
    #[must_use]
    pub fn report(&self) -> Vec<u8> {
        self.admission.report()
    }

    /// Admits a client or refuses it. Returns the welcome, and the handle for its requests. The hello comes
    /// from a peer and is not trusted. The sink may be used before this returns: what it is given must go out
    /// after the welcome.
    ///
    /// This runs the server's admission, which calls the [hooks](crate::ServerHook::joined) of users but waits
    /// for no client. It may be called from any thread.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Refused`], [`ConnectError::TooManyClients`] or [`ConnectError::ShuttingDown`], which the
    /// transport sends to the client. [`ConnectError::Protocol`] for a hello of more than [`MAX_HELLO_LEN`]
    /// bytes.
    pub fn connect(
        self: &Arc<Self>,
        hello: &[u8],
        client: ClientInfo,
        sink: impl AnswerSink + 'static,
    ) -> Result<(Vec<u8>, ConnectionHandle), ConnectError> {
        if hello.len() > MAX_HELLO_LEN {
            let problem = format!("the hello has {} bytes, over {MAX_HELLO_LEN}", hello.len());
            return Err(ConnectError::Protocol { problem });
        }
        let (welcome, client) = self.admit(hello, client, |client, session| {
            Arc::new(RemoteClient::new(client, session, self.limits, Box::new(sink)))
        })?;
        let arrivals = Arc::clone(&self.arrivals);
        let server = Arc::downgrade(self);
        Ok((welcome, ConnectionHandle { client, arrivals, server }))
    }

    /// Admits a client or refuses it. Returns the welcome, and the connection that the transport makes for it.
    pub(crate) fn admit<C: Attached + 'static>(
        &self,
        hello: &[u8],
        client: ClientInfo,
        make: impl FnOnce(ClientInfo, Session) -> Arc<C>,
    ) -> Result<(Vec<u8>, Arc<C>), ConnectError> {
        self.check_room(&lock(&self.state))?;
        let (welcome, session) =
            self.admission.admit(hello, &client).into_result().map_err(ConnectError::Refused)?;
        let link = make(client, session);
        let mut state = lock(&self.state);
        // Checked again: the admission ran without the lock.
        if let Err(error) = self.check_room(&state) {
            drop(state);
            self.say_left(&*link);
            return Err(error);
        }
        let kept: Arc<dyn Attached> = Arc::clone(&link) as _;
        state.links.insert(kept.client().id, kept);
        drop(state);
        Ok((welcome, link))
    }

    pub(crate) fn arrivals(&self) -> &Arc<Arrivals> {
        &self.arrivals
    }

    fn check_room(&self, state: &ServerQueueState) -> Result<(), ConnectError> {
        if state.stage != PortStage::Open {
            return Err(ConnectError::ShuttingDown);
        }
        let max = self.limits.max_clients;
        if state.links.len() >= max as usize {
            return Err(ConnectError::TooManyClients);
        }
        Ok(())
    }

    /// Removes a client that has left.
    pub(crate) fn leave(&self, client_id: u64) {
        let link = lock(&self.state).links.remove(&client_id);
        if let Some(link) = link {
            self.arrivals.forget(client_id);
            self.say_left(&*link);
        }
    }

    fn say_left(&self, link: &dyn Attached) {
        self.admission.left(link.client(), link.session());
    }

    fn close_all(&self, end: End) {
        let links = {
            let mut state = lock(&self.state);
            state.stage = PortStage::Closed;
            std::mem::take(&mut state.links)
        };
        links.values().for_each(|link| link.end(end));
        self.arrivals.end();
        links.values().for_each(|link| self.say_left(&**link));
        self.place.close();
    }
}

impl ServerPort for ServerQueue {
    fn name(&self) -> &str {
        self.place.name()
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(View { arrivals: &self.arrivals, poller: None })
    }

    fn park(&self, timeout: Option<Duration>) {
        self.arrivals.park(timeout);
    }

    fn ring(&self) {
        self.arrivals.ring();
    }

    fn stop_accepting(&self) {
        let mut state = lock(&self.state);
        state.stage = state.stage.max(PortStage::Full);
    }

    fn clients(&self) -> Vec<ClientInfo> {
        lock(&self.state).links.values().map(|link| link.client().clone()).collect()
    }

    fn disconnect(&self, client_id: u64) -> bool {
        let link = lock(&self.state).links.remove(&client_id);
        match link {
            Some(link) => {
                link.end(End::Dismissed);
                self.arrivals.forget(client_id);
                self.say_left(&*link);
                true
            }
            None => false,
        }
    }

    fn drain(&self) {
        let links: Vec<_> = {
            let mut state = lock(&self.state);
            state.stage = state.stage.max(PortStage::Draining);
            state.links.values().cloned().collect()
        };
        for link in links {
            link.drain();
        }
    }

    fn has_delivered(&self) -> bool {
        let links: Vec<_> = lock(&self.state).links.values().cloned().collect();
        links.iter().all(|link| link.has_delivered())
    }

    fn close(&self, how: Shutdown) {
        self.close_all(match how {
            Shutdown::Drained => End::Drained,
            Shutdown::Failed => End::Died,
            _ => End::ShutDown,
        });
    }

    fn join(&self, until: Option<Instant>) -> bool {
        self.place.join(until)
    }
}

impl fmt::Debug for ServerQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("ServerQueue")
            .field("name", &self.place.name())
            .field("stage", &state.stage)
            .field("clients", &state.links.len())
            .finish_non_exhaustive()
    }
}

/// To its clients, a server that is dropped without a close has died, as a process would.
impl Drop for ServerQueue {
    fn drop(&mut self) {
        self.close_all(End::Died);
    }
}

/// The server's input from one client: the transport's reader passes on what the client sends. Its methods may
/// be called from any thread and never wait. [`cancel`](Self::cancel) wakes handlers, so it runs wakers of
/// users.
///
/// Dropping it reports that the client has gone, unless the server has ended the connection before.
pub struct ConnectionHandle {
    client: Arc<RemoteClient>,
    arrivals: Arc<Arrivals>,
    server: Weak<ServerQueue>,
}

impl ConnectionHandle {
    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> &ClientInfo {
        self.client.client()
    }

    /// Takes a request, and wakes a thread of the server for it. Its ticket, tag and bytes come from a peer and
    /// are not trusted. A deadline is a time of this process's clock.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Misbehaved`] if the request is over a limit or names a call that is unanswered: no
    /// honest client sends this. The transport then drops this handle and closes the connection. With any other
    /// error, the connection has ended.
    pub fn request(&self, request: Request) -> Result<(), ChannelError> {
        self.client.arrives(&request)?;
        self.arrivals.publish(Arc::clone(&self.client) as _, request);
        Ok(())
    }

    /// Marks a call as given up by its client. A ticket of no call is ignored: the answer may have crossed this
    /// notice.
    pub fn cancel(&self, ticket: Ticket) {
        self.client.cancel(ticket);
    }
}

impl Drop for ConnectionHandle {
    fn drop(&mut self) {
        self.client.gone();
        if let Some(server) = self.server.upgrade() {
            server.leave(self.client.client().id);
        }
    }
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle").field("client", self.client()).finish_non_exhaustive()
    }
}

/// The view of the thread that holds the poller role.
struct View<'a> {
    arrivals: &'a Arrivals,
    /// The poller's number in the last turn.
    poller: Option<Poller>,
}

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool {
        let arrivals = self.arrivals;
        let (poller, waiting) = arrivals.look();
        self.poller = Some(poller);
        // Only those that have arrived by now, so that a turn ends however many clients call.
        let mut found = false;
        for _ in 0..waiting {
            let Some((peer, mut request)) = arrivals.take(poller, only) else { break };
            found = true;
            let ticket = request.ticket;
            let mut answer = None;
            serve.serve(&peer, &mut request, &mut answer);
            if let Some(answer) = answer {
                // The answer fails only if the client has gone.
                let _ = peer.answer(ticket, answer.outgoing());
            }
            arrivals.handled(poller);
            if serve.settled().is_break() {
                break;
            }
        }
        found
    }

    fn set_aside(&mut self) {
        if let Some(poller) = self.poller {
            self.arrivals.occupied(poller);
        }
    }

    fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool {
        self.arrivals.request_wakeup(only)
    }
}
