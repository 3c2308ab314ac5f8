//! What the control thread calls: clients come in, and go.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use super::Server;
use super::connection::Connection;
use crate::layout::STATE;
use crate::rendezvous::{self, Credentials, Established, Host, Session};
use crate::security::{Clearance, Responder};
use crate::state;

/// Decides which clients come in; implemented by the layers above.
pub trait Admission: Send + Sync {
    /// Reads a client's hello, which is untrusted. Called on the control thread. `clearance` is what
    /// the server's [`Responder`] has found out about the client.
    fn admit(&self, hello: &[u8], id: u64, pid: u32, uid: u32, clearance: &Clearance) -> Admitted;

    /// What another process of the server's user is told that asks how the server is; at most
    /// [`MAX_REPORT_LEN`](crate::MAX_REPORT_LEN) bytes. Called on the control thread.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }

    /// A client that was let in has left, died, or been sent away. Called on the control thread,
    /// once for each, with what [`admit`](Self::admit) gave.
    fn left(&self, _id: u64, _pid: u32, _uid: u32, _session: &Session) {}
}

/// What [`Admission::admit`] decided.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// The client is in.
    Welcome {
        /// Sent to the client.
        welcome: Vec<u8>,
        /// Kept beside the connection.
        session: Session,
    },
    /// The client is turned away; the bytes tell it why.
    Refusal(Vec<u8>),
}

/// The control thread's hold on the server, which it does not keep alive.
pub(super) struct Reception {
    server: Weak<Server>,
    responder: Box<dyn Responder>,
}

impl Reception {
    pub(super) fn new(server: &Arc<Server>, responder: Box<dyn Responder>) -> Self {
        Self { server: Arc::downgrade(server), responder }
    }
}

impl Host for Reception {
    fn admit(
        &self,
        id: u64,
        hello: &[u8],
        who: Credentials,
        clearance: &Clearance,
    ) -> rendezvous::Admitted {
        let Some(server) = self.server.upgrade() else {
            return rendezvous::Admitted::Refusal(Vec::new());
        };
        match server.admission.admit(hello, id, who.pid, who.uid, clearance) {
            Admitted::Welcome { welcome, session } => {
                rendezvous::Admitted::Welcome { bytes: welcome, session }
            }
            Admitted::Refusal(bytes) => rendezvous::Admitted::Refusal(bytes),
        }
    }

    fn connected(&self, id: u64, session: Session, established: Established) {
        if let Some(server) = self.server.upgrade() {
            server.welcome(id, session, established);
        }
    }

    fn hung_up(&self, id: u64) {
        if let Some(server) = self.server.upgrade() {
            server.forget(id);
        }
    }

    fn turned_away(&self) {
        if let Some(server) = self.server.upgrade() {
            server.refused.fetch_add(1, Relaxed);
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
    fn welcome(&self, id: u64, session: Session, established: Established) {
        let connection = Connection::new(id, session, established, self.layout, self.trusted);
        connection.own.word64(STATE).store(state::SERVING, Relaxed);
        let connection = Arc::new(connection);
        self.connections().insert(id, Arc::clone(&connection));
        if self.parking.watch(&connection.bell, id).is_err() {
            // No memory for the kernel's entry: the client could never wake us.
            self.end(&connection, state::DISMISSED);
        }
    }

    /// A client has left, died, or been dismissed.
    fn forget(&self, id: u64) {
        let Some(connection) = self.connections().remove(&id) else { return };
        connection.close(state::CLOSED);
        let mut ended = self.ended();
        ended.retain(|other| other.strong_count() > 0);
        ended.push(Arc::downgrade(&connection));
        drop(ended);
        self.parking.forget(&connection.bell);
        // Whoever sleeps must not keep it alive; whoever polls reads the news.
        let mut hot = self.hot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hot.retain(|other| other.id() != id);
        drop(hot);
        self.rung
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .retain(|other| other.id() != id);
        self.news.tell();
        self.admission.left(id, connection.pid(), connection.uid(), &connection.session);
    }
}
