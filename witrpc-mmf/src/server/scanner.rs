//! Looks for requests: the poller's view of all connections.
//!
//! The poller looks at *hot* connections in every turn; the client of a *cold* one rings. The
//! wake-requested word of a connection is 0 exactly while the poller looks at it in every turn. One
//! thread at a time uses its scanner: the poller, which is the holder of the poller role. The next
//! poller sees what the last one left (the hot list, cursors, taken seqs), because the role is
//! released and acquired.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use witrpc_rt::lock;
use witrpc_transport::{Only, Request, ShortAnswer, ShortRequest, Ticket};

use crate::link::line::Copied;
use crate::link::state;
use crate::memory::words::Mapped;
use crate::wakeup::epoch;

use super::Server;
use super::connection::Connection;
use super::hot::Hot;
use super::inbound::{Broken, InboundLine};

/// After this many turns without a request, a connection goes cold if there are others. A look at a
/// quiet connection costs a cache line in every turn; waking up costs its next call a ring.
const TURNS_TO_COLD: u32 = 4_096;

/// How many lines of one connection are taken before the poller looks at the next connection. Lines
/// that are no requests count too.
const BURST: u32 = 16;

/// The poller's view. Created by the thread that has taken the poller role.
#[derive(Debug)]
pub struct Scanner<'a> {
    server: &'a Server,
    /// Held only while this thread looks. At other times it is in the server's slot, or does not
    /// exist.
    hot: Option<Box<Hot>>,
}

/// What the scanner hands requests to.
pub trait Serving {
    /// What is kept of a connection while one of its requests is served.
    type Met;

    /// Called when a request of this connection has been found. The result should not keep the
    /// connection, which may end long before the handler does.
    fn meet(&mut self, connection: &Arc<Connection>) -> Self::Met;

    /// Serves the request. It may leave a short answer in `answer`, for the scanner to send, which
    /// has the connection at hand.
    fn serve(&mut self, met: &mut Self::Met, request: Request, answer: &mut Option<ShortAnswer>);

    /// Serves a short request without a deadline in the same way.
    fn serve_short(
        &mut self,
        met: &mut Self::Met,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    );

    /// Sends an answer that was left to the scanner, when the scanner no longer has the connection.
    fn answer(&mut self, met: Self::Met, ticket: Ticket, answer: &ShortAnswer);

    /// Called when the request is answered, or will be elsewhere. A break ends the turn, because
    /// this thread is not to look any more.
    fn settled(&mut self) -> ControlFlow<()>;
}

/// Serves by a function that gets the connection, and keeps the connection meanwhile.
struct WithConnection<F> {
    serve: F,
    goes_on: ControlFlow<()>,
}

impl<F: FnMut(&Arc<Connection>, Request) -> ControlFlow<()>> Serving for WithConnection<F> {
    type Met = Arc<Connection>;

    fn meet(&mut self, connection: &Arc<Connection>) -> Arc<Connection> {
        Arc::clone(connection)
    }

    fn serve(
        &mut self,
        met: &mut Arc<Connection>,
        request: Request,
        _answer: &mut Option<ShortAnswer>,
    ) {
        self.goes_on = (self.serve)(met, request);
    }

    fn serve_short(
        &mut self,
        met: &mut Arc<Connection>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve(met, request.request(), answer);
    }

    fn answer(&mut self, met: Arc<Connection>, ticket: Ticket, answer: &ShortAnswer) {
        // An error means that the client is gone.
        let _ = met.answer_short(ticket, answer);
    }

    fn settled(&mut self) -> ControlFlow<()> {
        self.goes_on
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self { server, hot: None }
    }

    /// Runs a turn as [`turn_with`](Self::turn_with) does, with a function.
    pub fn turn(
        &mut self,
        only: Option<Only<'_>>,
        serve: impl FnMut(&Arc<Connection>, Request) -> ControlFlow<()>,
    ) -> bool {
        self.turn_with(only, &mut WithConnection { serve, goes_on: ControlFlow::Continue(()) })
    }

    /// Looks once at every hot connection and has `serving` serve its new requests, at most a fixed
    /// number for each connection, until that breaks. The turn begins after the connection that was
    /// served last, even if an earlier poller served it: no client delays another by more than a
    /// round. It is generic so that a request goes from its line directly to where `serving` wants
    /// it.
    ///
    /// With `only`, the requests that it refuses stay on their lanes and never come to `serving`.
    /// Segments of such a request are taken up to the one that completes it. Returns whether
    /// anything was found.
    #[inline]
    pub fn turn_with(&mut self, only: Option<Only<'_>>, serving: &mut impl Serving) -> bool {
        if self.hot.as_ref().is_none_or(|hot| self.server.work_signal.count() != hot.read) {
            self.read_signal();
        }
        let mut found = false;
        let mut cooled = false;
        let Some(hot) = &self.hot else { return false };
        let count = hot.connections.len();
        let mut next = hot.first;
        for _ in 0..count {
            let index = if next < count { next } else { 0 };
            next = index + 1;
            match self.look(index, only, serving) {
                Look::Nothing if count > 1 => cooled |= self.cools(index),
                Look::Nothing => {}
                Look::Found => found = true,
                Look::Stopped => return true,
                Look::Broken(rule) => {
                    if let Some(hot) = &self.hot {
                        self.server.accuse(&hot.connections[index], rule);
                    }
                    cooled = true;
                    found = true;
                }
            }
        }
        if cooled {
            self.let_cool();
        }
        found
    }

    /// Puts the list into the server's slot, where it keeps no connection that ends, before
    /// something that may take long. The next turn takes it from there, whichever thread is the
    /// poller by then.
    #[inline]
    pub fn set_aside(&mut self) {
        let Some(hot) = self.hot.take() else { return };
        let read = hot.read;
        self.server.list_slot.put(hot, read, &self.server.work_signal);
    }

    /// Requests that every client rings, then looks once more. Called after the poller role has
    /// been released. Returns `true` if there is something to do that `only` does not refuse.
    pub fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool {
        // A list from the slot may be that of the next poller, which then reads the server's list.
        let hot = self.hot.take().or_else(|| self.server.list_slot.take());
        let Some(hot) = hot else { return true };
        for connection in &hot.connections {
            connection.ask_to_be_rung();
        }
        // Pairs with two fences. The clients execute theirs between a publication and their look at
        // the wake-requested word. `WorkSignal::notify` executes one, after which a stand-by thread
        // looks at the role.
        epoch::fence::<Mapped>();
        // The server's list is not changed: it may be that of the next poller.
        self.server.work_signal.count() != hot.read
            || hot.connections.iter().any(|connection| connection.anything_to_take(only))
    }

    /// Reads the work signal: connections that have rung become hot, and those that have ended are
    /// removed.
    ///
    /// The server's list is authoritative: any other poller since this thread's last turn has
    /// changed it, and counted that in the work signal.
    #[cold]
    fn read_signal(&mut self) {
        // The slot has the list of this thread, or of the poller that it has displaced.
        let known = self.hot.take().or_else(|| self.server.list_slot.take());
        let read = self.server.work_signal.count();
        if let Some(hot) = known {
            let is_current = hot.read == read;
            self.hot = Some(hot);
            if is_current {
                return;
            }
        }
        let mut connections = self.server.hot();
        if self.hot.is_none() {
            // The last poller may have requested rings.
            connections.iter().for_each(|connection| connection.look_every_turn());
        }
        for connection in self.server.take_rung() {
            if connection.attention.swap(false, AcqRel) {
                connection.publish_claims();
                connection.flush_queue();
            }
            if !connections.iter().any(|hot| Arc::ptr_eq(hot, &connection)) {
                connection.look_every_turn();
                connection.idle_turns.store(0, Relaxed);
                connections.push(connection);
            }
        }
        connections.retain(|connection| connection.is_connected());
        self.hot = Some(Box::new(Hot { connections, first: 0, read }));
        self.publish_hot();
    }

    /// Publishes the list for the next poller, and counts that in the work signal.
    fn publish_hot(&mut self) {
        let Some(hot) = &mut self.hot else { return };
        let served = self.server.served_last.load(Relaxed);
        let place = hot.connections.iter().position(|connection| connection.id() == served);
        hot.first = place.map_or(0, |place| place + 1);
        let before = self.server.set_hot(&hot.connections);
        if before == hot.read {
            hot.read += 1;
        }
    }

    /// Counts a turn that found nothing at a connection. Returns whether the connection is to go
    /// cold.
    #[inline]
    fn cools(&self, index: usize) -> bool {
        let Some(hot) = &self.hot else { return false };
        let connection = &hot.connections[index];
        let idle = connection.idle_turns.load(Relaxed) + 1;
        connection.idle_turns.store(idle, Relaxed);
        idle >= TURNS_TO_COLD
    }

    /// Makes quiet connections cold, unless a last look finds a request.
    #[cold]
    fn let_cool(&mut self) {
        let Some(hot) = &mut self.hot else { return };
        hot.connections.retain(|connection| {
            if !connection.is_connected() {
                return false;
            }
            if connection.idle_turns.load(Relaxed) < TURNS_TO_COLD {
                return true;
            }
            connection.idle_turns.store(0, Relaxed);
            connection.ask_to_be_rung();
            epoch::fence::<Mapped>();
            let speaks = connection.anything_to_take(None);
            if speaks {
                connection.look_every_turn();
            }
            speaks
        });
        self.publish_hot();
    }

    /// Looks at the lanes of one connection, from where the last look stopped, until [`BURST`]
    /// lines have been taken.
    #[inline]
    fn look(&mut self, index: usize, only: Option<Only<'_>>, serving: &mut impl Serving) -> Look {
        let Some(mut connection) = self.connection(index) else { return Look::Stopped };
        let id = connection.id();
        let lanes = connection.high_water();
        let mut next = connection.cursor.load(Relaxed) as usize;
        let mut found = false;
        let mut left = BURST;
        for _ in 0..lanes {
            let lane = if next < lanes { next } else { 0 };
            next = lane + 1;
            let inbound = connection.inbound(lane);
            let Some(seq) = inbound.waiting() else { continue };
            let copied = match connection.copy_line(inbound, seq) {
                Ok(copied) => copied,
                Err(Broken(rule)) => return Look::Broken(rule),
            };
            let mut opened = None;
            let short = match only {
                None => connection.take_short(inbound, seq, &copied, &mut opened),
                Some(_) => None,
            };
            let ticket = Ticket::new(lane as u32, seq);
            let step = match short {
                Some(request) => self.serve(index, id, ticket, serving, |serving, met, answer| {
                    serving.serve_short(met, &request, answer);
                }),
                None => self.deal_with(index, ticket, &copied, only, serving),
            };
            let Some(same) = self.connection(index) else { return Look::Stopped };
            connection = same;
            match step {
                ScanStep::Waits => continue,
                ScanStep::Done => found = true,
                ScanStep::Stopped => return Look::Stopped,
                ScanStep::Broken(rule) => return Look::Broken(rule),
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        if !found {
            return Look::Nothing;
        }
        connection.idle_turns.store(0, Relaxed);
        Look::Found
    }

    /// Deals with a line that is no short request, or that may have to wait.
    #[cold]
    fn deal_with(
        &mut self,
        index: usize,
        ticket: Ticket,
        copied: &Copied,
        only: Option<Only<'_>>,
        serving: &mut impl Serving,
    ) -> ScanStep {
        let Some(connection) = self.connection(index) else { return ScanStep::Stopped };
        let id = connection.id();
        match connection.take_line(ticket, copied, only) {
            Ok(InboundLine::Waits) => ScanStep::Waits,
            Ok(InboundLine::Done) => {
                self.pass(index, ticket).map_or(ScanStep::Stopped, |_| ScanStep::Done)
            }
            Ok(InboundLine::Request(request)) => {
                self.serve(index, id, ticket, serving, |serving, met, answer| {
                    serving.serve(met, request, answer);
                })
            }
            Err(Broken(rule)) => ScanStep::Broken(rule),
        }
    }

    /// Has a request served that was taken off its line, and sends the answer that is left to the scanner.
    /// The look stops if the connection has ended meanwhile, or if this thread is not to look any more.
    #[inline]
    fn serve<S: Serving>(
        &mut self,
        index: usize,
        id: u64,
        ticket: Ticket,
        serving: &mut S,
        serve: impl FnOnce(&mut S, &mut S::Met, &mut Option<ShortAnswer>),
    ) -> ScanStep {
        let Some(connection) = self.pass(index, ticket) else { return ScanStep::Stopped };
        let mut met = serving.meet(connection);
        self.set_aside();
        let mut answer = None;
        serve(serving, &mut met, &mut answer);
        // There is none if a connection has ended meanwhile, or if this thread was displaced.
        self.hot = self.server.list_slot.take();
        let same = self.connection(index).filter(|same| same.id() == id);
        let is_here = same.is_some();
        match (&answer, same) {
            // An error means that the client is gone.
            (Some(answer), Some(same)) => drop(same.answer_short(ticket, answer)),
            (Some(answer), None) => serving.answer(met, ticket, answer),
            (None, _) => {}
        }
        if serving.settled().is_break() {
            // The next poller has its own list.
            self.hot = None;
            return ScanStep::Stopped;
        }
        if is_here { ScanStep::Done } else { ScanStep::Stopped }
    }

    /// Has the next look begin after this line and this connection, on any thread: a poller that was
    /// displaced must not go back to what its successor has passed.
    #[inline]
    fn pass(&mut self, index: usize, ticket: Ticket) -> Option<&Arc<Connection>> {
        let hot = self.hot.as_mut()?;
        hot.first = index + 1;
        let connection = hot.connections.get(index)?;
        connection.cursor.store(ticket.lane + 1, Relaxed);
        self.server.served_last.store(connection.id(), Relaxed);
        Some(connection)
    }

    #[inline]
    fn connection(&self, index: usize) -> Option<&Arc<Connection>> {
        self.hot.as_ref()?.connections.get(index)
    }
}

/// The outcome of one line.
enum ScanStep {
    /// It stays on its lane.
    Waits,
    /// It has been handled.
    Done,
    /// It has been handled, and the look stops.
    Stopped,
    Broken(&'static str),
}

/// The outcome of a look at one connection.
enum Look {
    Nothing,
    Found,
    Stopped,
    Broken(&'static str),
}

impl Server {
    /// Creates a view for the thread that has the poller role.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner::new(self)
    }

    /// Ends the connection of a client that broke `rule`. Other clients are not affected.
    #[cold]
    pub(super) fn accuse(&self, connection: &Connection, rule: &'static str) {
        self.broken.fetch_add(1, Relaxed);
        *lock(&self.last_broken) = Some(rule);
        self.end(connection, state::ACCUSED);
    }
}
