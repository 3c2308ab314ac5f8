//! Looking for requests: the poller's view of all connections.
//!
//! Only *hot* connections are looked at, every turn; a *cold* one rings when it has something. The
//! wake-requested word of a connection is 0 exactly while a scanner looks at it every turn. Scanners are
//! used by one thread at a time, the holder of the poller role: what one left behind (the hot list,
//! cursors, claimed seqs) the next one sees by the acquire and release of that role.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use witrpc_rt::lock;
use witrpc_transport::{Only, ShortAnswer};

use crate::link::message::{Request, Ticket};
use crate::link::state;
use crate::memory::words::Mapped;
use crate::wakeup::epoch;

use super::Server;
use super::connection::Connection;
use super::hot::Hot;
use super::inbound::{Broken, Line};

/// After so many turns without a request a connection goes cold, if there are others: a look at a
/// quiet connection costs a cache line a turn, waking up costs its next call a ring.
const TURNS_TO_COLD: u32 = 4_096;

/// How many lines of one connection are taken before the next connection is looked at: requests, and
/// what is dealt with on the way to them.
const BURST: u32 = 16;

/// The poller's view. Made by the thread that has taken the poller role.
#[derive(Debug)]
pub struct Scanner<'a> {
    server: &'a Server,
    /// In this thread's hands only while it looks: else it lies on the server's slot, or nowhere.
    hot: Option<Box<Hot>>,
}

/// What requests are handed to.
pub trait Serving {
    /// What is known of a connection while one of its requests is served.
    type Met;

    /// A request of this connection has been found. What this returns need not keep the connection,
    /// and should not: it may end long before the handler does.
    fn meet(&mut self, connection: &Arc<Connection>) -> Self::Met;

    /// Serves the request. A short answer may be left to the scanner, which has the connection at hand.
    fn serve(&mut self, met: &mut Self::Met, request: Request, answer: &mut Option<ShortAnswer>);

    /// Sends an answer that was left to the scanner, which has lost the connection meanwhile.
    fn answer(&mut self, met: Self::Met, ticket: Ticket, answer: &ShortAnswer);

    /// The request is answered, or will be elsewhere. A break says that this thread is not to look any
    /// more.
    fn settled(&mut self) -> ControlFlow<()>;
}

/// Serves with the connection itself at hand, which is kept meanwhile.
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

    fn answer(&mut self, met: Arc<Connection>, ticket: Ticket, answer: &ShortAnswer) {
        // The client has gone, if it does not hear it.
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

    /// As [`turn_with`](Self::turn_with), by a function.
    pub fn turn(
        &mut self,
        only: Option<Only<'_>>,
        serve: impl FnMut(&Arc<Connection>, Request) -> ControlFlow<()>,
    ) -> bool {
        self.turn_with(only, &mut WithConnection { serve, goes_on: ControlFlow::Continue(()) })
    }

    /// Looks once at every hot connection and has `serving` serve its new requests, a bounded number
    /// of each connection, until that breaks. The connection after the one that was served last is
    /// looked at first, even if the turn before ended with a change of the role: no client's calls
    /// keep another's waiting for more than a round.
    /// Generic, so that a request goes from the line straight to where `serving` wants it.
    ///
    /// With `only`, requests that it refuses stay where they are, and never come to `serving`;
    /// what was begun goes on up to the line that would make it such a request. Returns whether
    /// anything was found.
    #[inline]
    pub fn turn_with(&mut self, only: Option<Only<'_>>, serving: &mut impl Serving) -> bool {
        if self.hot.as_ref().is_none_or(|hot| self.server.work_signal.count() != hot.read) {
            self.read_news();
        }
        let mut found = false;
        let mut cooled = false;
        let Some(hot) = &self.hot else { return false };
        let count = hot.connections.len();
        let first = if hot.first < count { hot.first } else { 0 };
        for index in (first..count).chain(0..first) {
            match self.look(index, only, serving) {
                Look::Nothing if count > 1 => cooled |= self.cools(index),
                Look::Nothing => {}
                Look::Found => {
                    self.begin_next_turn_at(index + 1);
                    found = true;
                }
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

    /// Lays the list where it keeps no connection that ends: what comes next may take long. The next
    /// turn goes on with it, whoever holds the role by then.
    pub fn set_aside(&mut self) {
        let Some(hot) = self.hot.take() else { return };
        let read = hot.read;
        self.server.list_slot.put(hot, read, &self.server.work_signal);
    }

    /// Asks every client to ring, then looks once more. Called after the poller role has been put
    /// down. `true`: there is something to do that `only` does not refuse.
    pub fn arm(&mut self, only: Option<Only<'_>>) -> bool {
        // If it lies in the slot, it may be another holder's by now, which reads the server's then.
        let hot = self.hot.take().or_else(|| self.server.list_slot.take());
        let Some(hot) = hot else { return true };
        for connection in &hot.connections {
            connection.ask_to_be_rung();
        }
        // Pairs with the clients' fence between publishing and looking at the wake-requested word, and with
        // the stand-bys' between recording news and looking at the role.
        epoch::fence::<Mapped>();
        // The server's list stays: it may be another holder's by now.
        self.server.work_signal.count() != hot.read
            || hot.connections.iter().any(|connection| connection.anything_to_take(only))
    }

    fn begin_next_turn_at(&mut self, index: usize) {
        if let Some(hot) = &mut self.hot {
            hot.first = index;
        }
    }

    /// Makes hot whoever has rung, and forgets who has gone.
    ///
    /// The server's list is what counts: any other holder since this one's last turn has changed it,
    /// and counted that as news.
    #[cold]
    fn read_news(&mut self) {
        // From the slot comes the list of this thread, or of the holder that it has displaced.
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
            // Whoever held the role last may have asked them to ring.
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
        self.tell();
    }

    /// Leaves the list for the next holder of the role, and counts it as news.
    fn tell(&mut self) {
        let Some(hot) = &mut self.hot else { return };
        let served = self.server.served_last.load(Relaxed);
        let place = hot.connections.iter().position(|connection| connection.id() == served);
        hot.first = place.map_or(0, |place| place + 1);
        let before = self.server.set_hot(&hot.connections);
        if before == hot.read {
            hot.read += 1;
        }
    }

    /// Counts a turn that found nothing at a connection; `true` when it was one too many.
    #[inline]
    fn cools(&self, index: usize) -> bool {
        let Some(hot) = &self.hot else { return false };
        let connection = &hot.connections[index];
        let idle = connection.idle_turns.load(Relaxed) + 1;
        connection.idle_turns.store(idle, Relaxed);
        idle >= TURNS_TO_COLD
    }

    /// Sends quiet connections to the cold, unless they speak up at the last moment.
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
        self.tell();
    }

    /// Looks at the lanes of one connection, from where the last look stopped, until a burst has been
    /// served.
    #[inline]
    fn look(&mut self, index: usize, only: Option<Only<'_>>, serving: &mut impl Serving) -> Look {
        let Some(mut connection) = self.connection(index) else { return Look::Stopped };
        let id = connection.id();
        let lanes = connection.high_water();
        let first = connection.cursor.load(Relaxed) as usize;
        let first = if first < lanes { first } else { 0 };
        let mut found = false;
        let mut left = BURST;
        for lane in (first..lanes).chain(0..first) {
            let Some(seq) = connection.waiting(lane) else { continue };
            match connection.take_line(lane, seq, only) {
                Ok(Line::Waits) => continue,
                Ok(Line::Done) => connection.cursor.store(lane as u32 + 1, Relaxed),
                Ok(Line::Request(request)) => {
                    // The next look begins behind this lane and this connection, whoever takes it: a
                    // displaced poller must not come back to what its successor has gone past.
                    connection.cursor.store(lane as u32 + 1, Relaxed);
                    self.server.served_last.store(connection.id(), Relaxed);
                    let (mut met, ticket) = (serving.meet(connection), request.ticket);
                    self.begin_next_turn_at(index + 1);
                    self.set_aside();
                    let mut answer = None;
                    serving.serve(&mut met, request, &mut answer);
                    // It is gone if a connection has ended meanwhile, or if this thread was displaced.
                    self.hot = self.server.list_slot.take();
                    let same = self.connection(index).filter(|same| same.id() == id);
                    match (&answer, same) {
                        // The client has gone, if it does not hear it.
                        (Some(answer), Some(same)) => drop(same.answer_short(ticket, answer)),
                        (Some(answer), None) => serving.answer(met, ticket, answer),
                        (None, _) => {}
                    }
                    if serving.settled().is_break() {
                        // The next holder of the role has a list of its own.
                        self.hot = None;
                        return Look::Stopped;
                    }
                    match self.connection(index) {
                        Some(same) if same.id() == id => connection = same,
                        _ => return Look::Stopped,
                    }
                }
                Err(Broken(rule)) => return Look::Broken(rule),
            }
            found = true;
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

    #[inline]
    fn connection(&self, index: usize) -> Option<&Arc<Connection>> {
        self.hot.as_ref()?.connections.get(index)
    }
}

/// What a look at one connection found.
enum Look {
    Nothing,
    Found,
    Stopped,
    Broken(&'static str),
}

impl Server {
    /// A view for the thread that holds the poller role.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner::new(self)
    }

    /// A client broke a rule: its connection ends, the others go on.
    #[cold]
    pub(super) fn accuse(&self, connection: &Connection, rule: &'static str) {
        self.broken.fetch_add(1, Relaxed);
        *lock(&self.last_broken) = Some(rule);
        self.end(connection, state::ACCUSED);
    }
}
