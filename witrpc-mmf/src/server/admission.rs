//! The calls of the control thread, when clients connect and when they leave.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Weak};

use witrpc_transport::{Admitted, ClientInfo, NameChange, ResourceError, Responder, Session};

use crate::link::state;
use crate::memory::layout::{CLOCK, STATE};
use crate::rendezvous::{Established, Host};
use crate::sys::clock;
use crate::sys::fd_closer::Socket;
use crate::sys::resource;

use super::Server;
use super::connection::Connection;

/// The control thread's reference to the server. It does not keep the server alive.
pub struct AdmissionHost {
    server: Weak<Server>,
    responder: Arc<dyn Responder>,
}

impl AdmissionHost {
    pub fn new(server: &Arc<Server>, responder: Arc<dyn Responder>) -> Self {
        Self { server: Arc::downgrade(server), responder }
    }
}

impl Host for AdmissionHost {
    fn watch(&self, client_id: u64, doorbell: Option<&Socket>) -> Result<(), ResourceError> {
        let Some(server) = self.server.upgrade() else { return Ok(()) };
        let watched = server.parking.watch(doorbell, client_id);
        watched.map_err(|error| resource::lacked("epoll_ctl", 0, &error.into()))
    }

    fn admit(&self, client: &ClientInfo, hello: &[u8]) -> Admitted {
        match self.server.upgrade() {
            Some(server) => server.admission.admit(hello, client),
            None => Admitted::Refusal(Vec::new()),
        }
    }

    fn connected(&self, client: ClientInfo, session: Session, established: Established) {
        if let Some(server) = self.server.upgrade() {
            server.welcome(client, session, established);
        }
    }

    fn hung_up(&self, id: u64) {
        if let Some(server) = self.server.upgrade() {
            server.forget(id);
        }
    }

    fn held_by_gone(&self) -> usize {
        self.server.upgrade().map_or(0, |server| server.held_by_gone())
    }

    fn turned_away(&self) {
        if let Some(server) = self.server.upgrade() {
            server.refused.fetch_add(1, Relaxed);
        }
    }

    fn failed(&self) {
        if let Some(server) = self.server.upgrade() {
            server.admission.failed();
        }
    }

    fn name_changed(&self, change: NameChange) {
        if let Some(server) = self.server.upgrade() {
            server.admission.name_changed(change);
        }
    }

    fn report(&self) -> Vec<u8> {
        self.server.upgrade().map(|server| server.admission.report()).unwrap_or_default()
    }

    fn responder(&self) -> &dyn Responder {
        &*self.responder
    }
}

impl Server {
    fn welcome(&self, client: ClientInfo, session: Session, established: Established) {
        let id = client.id;
        let connection = Connection::new(client, session, established, self.layout, self.trusted);
        connection.half.own.head_word(STATE).store(state::SERVING, Relaxed);
        connection.half.own.head_word(CLOCK).store(clock::monotonic_ns(), Relaxed);
        let connection = Arc::new(connection);
        self.connections().insert(id, Arc::clone(&connection));
        // After the insertion: a thread that drains or closes the server says so first, and then
        // looks at the list under its lock. So either it finds the connection there, or what it
        // said is found here.
        if self.is_draining.load(Acquire) {
            connection.begin_draining();
        }
        let last = self.last_state.load(Acquire);
        if last != 0 {
            self.end(&connection, last);
        }
    }

    /// Removes a client that has left, died, or been disconnected.
    fn forget(&self, id: u64) {
        let Some(connection) = self.connections().remove(&id) else { return };
        // If the server has ended, its connections know by now: those on the list, and those that
        // were added since.
        connection.close(state::CLOSED);
        let mut ended = self.ended();
        ended.retain(|other| other.strong_count() > 0);
        ended.push(Arc::downgrade(&connection));
        drop(ended);
        self.parking.forget(&connection.half.doorbell);
        connection.let_go();
        self.list_slot.clear(&self.work_signal);
        self.admission.left(&connection.client_info, &connection.session);
    }
}
