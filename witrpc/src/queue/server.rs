//! The server's end: its clients, and the view of its threads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use witrpc_rt::lock;
use witrpc_transport::{
    Admission, Admitted, ChannelError, Clearance, ClientInfo, DisconnectReason, Only, Peer,
    Scanner, Serve, ServerPort, Shutdown,
};

use crate::error::ConnectError;
use crate::transport::Guard;

use super::arrivals::Arrivals;
use super::limits::Limits;
use super::link::QueueLink;

/// Where clients meet a server: what its transport keeps for as long as the server is there.
pub(crate) trait MeetingPoint: Send + Sync {
    /// The name that clients connect to; empty where there is none.
    fn meeting_name(&self) -> &str;
}

/// A server's end, whose clients come by a transport that moves messages.
pub(crate) struct ServerQueue {
    /// Kept, so that clients find this server for as long as it serves.
    place: Arc<dyn MeetingPoint>,
    admission: Arc<dyn Admission>,
    guard: Arc<Guard>,
    limits: Limits,
    arrivals: Arc<Arrivals>,
    state: Mutex<State>,
}

struct State {
    stage: PortStage,
    links: BTreeMap<u64, Arc<QueueLink>>,
}

/// What a server still does; it goes from each to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PortStage {
    /// Takes clients.
    Open,
    /// Takes no new clients.
    Full,
    /// Takes no new calls.
    Draining,
    /// Nothing.
    Closed,
}

impl ServerQueue {
    pub(crate) fn new(
        place: Arc<dyn MeetingPoint>,
        admission: Arc<dyn Admission>,
        guard: Arc<Guard>,
        limits: Limits,
    ) -> Arc<Self> {
        let state = State { stage: PortStage::Open, links: BTreeMap::new() };
        Arc::new(Self {
            place,
            admission,
            guard,
            limits,
            arrivals: Arc::default(),
            state: Mutex::new(state),
        })
    }

    /// Whether the place is still this server's.
    pub(crate) fn is_serving(&self) -> bool {
        lock(&self.state).stage != PortStage::Closed
    }

    /// What decides which clients are heard at all: a transport asks it before it has one
    /// [admitted](Self::admit).
    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Lets a client in, or not: gives what it is told, and its connection. The transport has found out
    /// which process it is, and that it may be heard.
    pub(crate) fn admit(
        &self,
        hello: &[u8],
        clearance: Clearance,
        (pid, uid): (u32, u32),
    ) -> Result<(Vec<u8>, Arc<QueueLink>), ConnectError> {
        self.check_room(&lock(&self.state))?;
        let info = ClientInfo::new(pid, uid).cleared(clearance);
        let (welcome, session) = match self.admission.admit(hello, &info) {
            Admitted::Welcome { welcome, session } => (welcome, session),
            Admitted::Refusal(refusal) => return Err(ConnectError::Refused(refusal)),
        };
        let link = QueueLink::new(info, session, self.limits, Arc::clone(&self.arrivals));
        let mut state = lock(&self.state);
        // Looked at anew: the admission ran without the lock.
        if let Err(error) = self.check_room(&state) {
            drop(state);
            self.say_left(&link);
            return Err(error);
        }
        state.links.insert(link.client().id, Arc::clone(&link));
        drop(state);
        Ok((welcome, link))
    }

    fn check_room(&self, state: &State) -> Result<(), ConnectError> {
        if state.stage != PortStage::Open {
            return Err(ConnectError::ShuttingDown);
        }
        let max = self.limits.max_clients;
        if state.links.len() >= max as usize {
            return Err(ConnectError::TooManyClients);
        }
        Ok(())
    }

    /// A client has left.
    pub(crate) fn leave(&self, client_id: u64) {
        let link = lock(&self.state).links.remove(&client_id);
        if let Some(link) = link {
            self.arrivals.forget(client_id);
            self.say_left(&link);
        }
    }

    fn say_left(&self, link: &QueueLink) {
        self.admission.left(link.client(), link.session());
    }

    fn close_all(&self, pending: &ChannelError, later: &ChannelError) {
        let links = {
            let mut state = lock(&self.state);
            state.stage = PortStage::Closed;
            std::mem::take(&mut state.links)
        };
        links.values().for_each(|link| link.close(*pending, *later));
        self.arrivals.end();
        links.values().for_each(|link| self.say_left(link));
    }
}

impl ServerPort for ServerQueue {
    fn name(&self) -> &str {
        self.place.meeting_name()
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(View(&self.arrivals))
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
        let dismissed = ChannelError::Disconnected(DisconnectReason::Dismissed);
        match link {
            Some(link) => {
                link.close(dismissed, dismissed);
                self.arrivals.forget(client_id);
                self.say_left(&link);
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

    fn close(&self, how: Shutdown) {
        let end = match how {
            Shutdown::Drained => ChannelError::ShuttingDown,
            _ => ChannelError::Disconnected(DisconnectReason::ServerShutDown),
        };
        self.close_all(&end, &end);
    }
}

impl fmt::Debug for ServerQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("ServerQueue")
            .field("name", &self.place.meeting_name())
            .field("stage", &state.stage)
            .field("clients", &state.links.len())
            .finish_non_exhaustive()
    }
}

/// A server that vanishes without a word has died, as a process would.
impl Drop for ServerQueue {
    fn drop(&mut self) {
        let later = ChannelError::Disconnected(DisconnectReason::PeerDied);
        self.close_all(&ChannelError::PeerDied, &later);
    }
}

/// What a thread that holds the poller role sees.
struct View<'a>(&'a Arrivals);

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut Serve<'_>) -> bool {
        let arrivals = self.0;
        let (poller, waiting) = arrivals.look();
        // No more than have arrived by now, so that a turn ends however many clients call.
        let mut found = false;
        for _ in 0..waiting {
            let Some((peer, mut request)) = arrivals.take(poller, only) else { break };
            found = true;
            let flow = serve(&peer, &mut request);
            arrivals.handled(poller);
            if flow.is_break() {
                break;
            }
        }
        found
    }

    fn arm(&mut self, only: Option<Only<'_>>) -> bool {
        self.0.arm(only)
    }
}
