//! One server on several endpoints: their ports, as one port.
//!
//! The server's threads sleep at the first port. Each other port has a thread that sleeps there, and passes each ring
//! on to the first. A look goes through all ports.
//!
//! # Invariant
//!
//! While a thread runs a request of one port, each request that arrives at another rings. So before it runs one, it
//! [sets the other ports aside](Scanner::set_aside), after a look at each in this turn: a port knows only the thread
//! that has looked at it last.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use witrpc_transport::{
    ClientInfo, Only, Peer, Request, Scanner, Serve, ServerPort, ShortAnswer, ShortRequest,
    Shutdown, Usage, serve_by,
};

use crate::rt::Threads;

/// The ports of one server. There are at least two.
pub struct SeveralPorts {
    first: Arc<dyn ServerPort>,
    others: Vec<Arc<dyn ServerPort>>,
    threads: Threads,
    closed: Arc<AtomicBool>,
}

impl SeveralPorts {
    /// Joins the ports, and starts a thread for each but the first.
    pub fn start(
        first: Arc<dyn ServerPort>,
        others: Vec<Arc<dyn ServerPort>>,
    ) -> io::Result<Arc<Self>> {
        let (threads, closed) = (Threads::default(), Arc::default());
        let ports = Self { first, others, threads, closed };
        for port in &ports.others {
            let (port, first) = (Arc::clone(port), Arc::clone(&ports.first));
            let closed = Arc::clone(&ports.closed);
            ports.threads.spawn("witrpc-port".to_owned(), move || {
                while !closed.load(Ordering::SeqCst) {
                    port.park(None);
                    first.ring();
                }
            })?;
        }
        Ok(Arc::new(ports))
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn ServerPort>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn end_threads(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.others.iter().for_each(|port| port.ring());
    }
}

impl ServerPort for SeveralPorts {
    fn name(&self) -> &str {
        self.first.name()
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(SeveralScanners(self.all().map(|port| port.scanner()).collect()))
    }

    fn park(&self, timeout: Option<Duration>) {
        self.first.park(timeout);
    }

    fn ring(&self) {
        self.first.ring();
    }

    fn stop_accepting(&self) {
        self.all().for_each(|port| port.stop_accepting());
    }

    fn clients(&self) -> Vec<ClientInfo> {
        self.all().flat_map(|port| port.clients()).collect()
    }

    fn usage(&self) -> Usage {
        self.all().fold(Usage::default(), |mut sum, port| {
            let usage = port.usage();
            sum.reserved_memory += usage.reserved_memory;
            sum.broken_connections += usage.broken_connections;
            sum.refused_handshakes += usage.refused_handshakes;
            sum
        })
    }

    fn disconnect(&self, client_id: u64) -> bool {
        self.all().any(|port| port.disconnect(client_id))
    }

    fn drain(&self) {
        self.all().for_each(|port| port.drain());
    }

    fn has_delivered(&self) -> bool {
        self.all().all(|port| port.has_delivered())
    }

    fn close(&self, how: Shutdown) {
        self.all().for_each(|port| port.close(how));
        self.end_threads();
    }

    fn join(&self, until: Option<Instant>) -> bool {
        // Each is asked, also if another has not ended in time.
        let ended = self.all().filter(|port| !port.join(until)).count() == 0;
        self.threads.join(until) && ended
    }
}

impl Drop for SeveralPorts {
    fn drop(&mut self) {
        self.end_threads();
    }
}

impl fmt::Debug for SeveralPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

/// One thread's views of all ports.
struct SeveralScanners<'a>(Vec<Box<dyn Scanner + 'a>>);

impl Scanner for SeveralScanners<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool {
        let mut found = false;
        for place in 0..self.0.len() {
            let (looked, rest) = self.0.split_at_mut(place);
            let Some((scanner, ahead)) = rest.split_first_mut() else { break };
            let mut serve = ServeOne { serve, looked, ahead, is_broken: false };
            found |= scanner.turn(only, &mut serve);
            if serve.is_broken {
                break;
            }
        }
        found
    }

    fn set_aside(&mut self) {
        self.0.iter_mut().for_each(|scanner| scanner.set_aside());
    }

    fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool {
        // Each is asked: the next request rings wherever it arrives.
        self.0.iter_mut().filter_map(|scanner| scanner.request_wakeup(only).then_some(())).count()
            > 0
    }
}

/// The receiver of what one scanner finds, with the scanners of the other ports.
struct ServeOne<'s, 'a> {
    serve: &'s mut dyn Serve,
    /// Those that have looked in this turn.
    looked: &'s mut [Box<dyn Scanner + 'a>],
    /// Those that have not.
    ahead: &'s mut [Box<dyn Scanner + 'a>],
    is_broken: bool,
}

impl ServeOne<'_, '_> {
    /// Makes requests at the other ports ring.
    fn set_others_aside(&mut self) {
        for scanner in &mut *self.ahead {
            let mut none = serve_by(|_, _| ControlFlow::Continue(()));
            scanner.turn(Some(&|_, _| false), &mut none);
            scanner.set_aside();
        }
        self.looked.iter_mut().for_each(|scanner| scanner.set_aside());
    }
}

impl Serve for ServeOne<'_, '_> {
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.set_others_aside();
        self.serve.serve(peer, request, answer);
    }

    fn serve_short(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.set_others_aside();
        self.serve.serve_short(peer, request, answer);
    }

    fn settled(&mut self) -> ControlFlow<()> {
        let goes_on = self.serve.settled();
        self.is_broken |= goes_on.is_break();
        goes_on
    }
}
