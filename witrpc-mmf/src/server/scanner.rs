//! Looking for requests: the poller's view of all connections.
//!
//! Only *hot* connections are looked at, every turn; a *cold* one rings when it has something. The
//! ring-me word of a connection is 0 exactly while a scanner looks at it every turn. Scanners are
//! used by one thread at a time, the holder of the poller role: what one left behind (the hot list,
//! cursors, claimed seqs) the next one sees by the acquire and release of that role.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use witrpc_transport::Only;

use super::Server;
use super::connection::Connection;
use super::inbound::{Broken, Line};
use crate::message::Request;
use crate::ring;
use crate::state;
use crate::words::Mapped;

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
    hot: Vec<Arc<Connection>>,
    /// Where in `hot` the next turn begins: behind the connection that was served last, by this
    /// scanner or, after a change of the role, by another.
    first: usize,
    /// The server's news that this scanner has read.
    read: u64,
    /// Nothing is looked at until the next turn has read the server's list.
    rested: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self { server, hot: Vec::new(), first: 0, read: 0, rested: true }
    }

    /// Looks once at every hot connection and hands its new requests to `serve`, a bounded number
    /// of each connection, until that breaks. The connection after the one that was served last is
    /// looked at first, even if the turn before ended with a change of the role: no client's calls
    /// keep another's waiting for more than a round.
    /// Generic, so that a request goes from the line straight to where `serve` wants it.
    ///
    /// With `only`, requests that it refuses stay where they are, and never come to `serve`;
    /// what was begun goes on up to the line that would make it such a request. Returns whether
    /// anything was found.
    #[inline]
    pub fn turn(
        &mut self,
        only: Option<Only<'_>>,
        mut serve: impl FnMut(&Arc<Connection>, Request) -> ControlFlow<()>,
    ) -> bool {
        if self.rested || self.server.news.count() != self.read {
            self.read_news();
        }
        let mut found = false;
        let mut cooled = false;
        let count = self.hot.len();
        let first = if self.first < count { self.first } else { 0 };
        for index in (first..count).chain(0..first) {
            let connection = &self.hot[index];
            match look(self.server, connection, only, &mut serve) {
                Look::Nothing if count > 1 => cooled |= cools(connection),
                Look::Nothing => {}
                Look::Found => {
                    self.first = index + 1;
                    found = true;
                }
                Look::Stopped => {
                    self.rest();
                    return true;
                }
                Look::Broken(rule) => {
                    self.server.accuse(connection, rule);
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

    /// Asks every client to ring, then looks once more. Called after the poller role has been put
    /// down. `true`: there is something to do that `only` does not refuse.
    pub fn arm(&mut self, only: Option<Only<'_>>) -> bool {
        for connection in &self.hot {
            connection.ask_to_be_rung();
        }
        // Pairs with the clients' fence between publishing and looking at the ring-me word, and with
        // the stand-bys' between recording news and looking at the role.
        ring::fence::<Mapped>();
        let waiting = self.server.news.count() != self.read
            || self.hot.iter().any(|connection| connection.anything_to_take(only));
        // The server's list stays: it may be another holder's by now.
        self.rest();
        waiting
    }

    /// This view may not be used for long: it keeps no connection alive, and begins anew when it is
    /// used again.
    fn rest(&mut self) {
        self.hot.clear();
        self.rested = true;
    }

    /// Makes hot whoever has rung, and forgets who has gone.
    ///
    /// The server's list is what counts: any other holder since this one's last turn has changed it,
    /// and counted that as news.
    #[cold]
    fn read_news(&mut self) {
        self.read = self.server.news.count();
        self.hot = self.server.hot();
        if self.rested {
            self.rested = false;
            // Whoever held the role last may have asked them to ring.
            self.hot.iter().for_each(|connection| connection.look_every_turn());
        }
        for connection in self.server.take_rung() {
            if connection.attention.swap(false, AcqRel) {
                connection.publish_claims();
                connection.flush_queue();
            }
            if !self.hot.iter().any(|hot| Arc::ptr_eq(hot, &connection)) {
                connection.look_every_turn();
                connection.idle_turns.store(0, Relaxed);
                self.hot.push(connection);
            }
        }
        self.hot.retain(|connection| connection.is_connected());
        self.tell();
    }

    /// Leaves the list for the next holder of the role, and counts it as news.
    fn tell(&mut self) {
        let served = self.server.served_last.load(Relaxed);
        let place = self.hot.iter().position(|connection| connection.id() == served);
        self.first = place.map_or(0, |place| place + 1);
        let before = self.server.set_hot(&self.hot);
        if before == self.read {
            self.read += 1;
        }
    }

    /// Sends quiet connections to the cold, unless they speak up at the last moment.
    #[cold]
    fn let_cool(&mut self) {
        self.hot.retain(|connection| {
            if !connection.is_connected() {
                return false;
            }
            if connection.idle_turns.load(Relaxed) < TURNS_TO_COLD {
                return true;
            }
            connection.idle_turns.store(0, Relaxed);
            connection.ask_to_be_rung();
            ring::fence::<Mapped>();
            let speaks = connection.anything_to_take(None);
            if speaks {
                connection.look_every_turn();
            }
            speaks
        });
        self.tell();
    }
}

/// What a look at one connection found.
enum Look {
    Nothing,
    Found,
    Stopped,
    Broken(&'static str),
}

/// Counts a turn that found nothing; `true` when it was one too many.
#[inline]
fn cools(connection: &Connection) -> bool {
    let idle = connection.idle_turns.load(Relaxed) + 1;
    connection.idle_turns.store(idle, Relaxed);
    idle >= TURNS_TO_COLD
}

/// Looks at the lanes of one connection, from where the last look stopped, until a burst has been
/// served.
#[inline]
fn look(
    server: &Server,
    connection: &Arc<Connection>,
    only: Option<Only<'_>>,
    serve: &mut impl FnMut(&Arc<Connection>, Request) -> ControlFlow<()>,
) -> Look {
    let lanes = connection.high_water();
    let first = connection.cursor.load(Relaxed) as usize;
    let first = if first < lanes { first } else { 0 };
    let mut found = false;
    let mut left = BURST;
    for lane in (first..lanes).chain(0..first) {
        let Some(seq) = connection.waiting(lane) else { continue };
        let line = connection.take_line(lane, seq, only);
        match line {
            Ok(Line::Waits) => continue,
            Ok(Line::Done) => connection.cursor.store(lane as u32 + 1, Relaxed),
            Ok(Line::Request(request)) => {
                // The next look begins behind this lane and this connection, whoever takes it: a
                // displaced poller must not come back to what its successor has gone past.
                connection.cursor.store(lane as u32 + 1, Relaxed);
                server.served_last.store(connection.id(), Relaxed);
                if serve(connection, request).is_break() {
                    return Look::Stopped;
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

impl Server {
    /// A client broke a rule: its connection ends, the others go on.
    #[cold]
    pub(super) fn accuse(&self, connection: &Connection, rule: &'static str) {
        self.broken.fetch_add(1, Relaxed);
        *self.last_broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(rule);
        self.end(connection, state::ACCUSED);
    }
}
