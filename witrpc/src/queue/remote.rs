//! The server's end of a connection to a client across a transport.
//!
//! # Invariants
//!
//! 1. A call is in `unanswered` from its arrival until its one answer is given. There are never more of them
//!    than a client has lanes.
//! 2. A thread that sets `ended` wakes all watchers. Afterwards no request is taken, and no answer except one
//!    that is already on its way to the sink.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;
use std::task::Waker;

use witrpc_rt::{WakerSet, lock};
use witrpc_transport::{
    Answer, ChannelError, ClientInfo, DisconnectReason, Outgoing, Peer, Request, Session, TAG_BITS,
    Ticket,
};

use super::attached::Attached;
use super::end::End;
use super::handed_over::receive;
use super::limits::Limits;
use super::outlet::AnswerSink;

/// A client across a transport.
pub struct RemoteClient {
    client: ClientInfo,
    session: Session,
    limits: Limits,
    sink: Box<dyn AnswerSink>,
    state: Mutex<RemoteState>,
    /// Handlers that sleep until their calls are given up.
    watchers: WakerSet<Ticket>,
}

#[derive(Default)]
struct RemoteState {
    /// The calls by their numbers, and whether each was given up.
    unanswered: HashMap<u64, bool>,
    ended: bool,
}

impl RemoteClient {
    pub fn new(
        client: ClientInfo,
        session: Session,
        limits: Limits,
        sink: Box<dyn AnswerSink>,
    ) -> Self {
        Self {
            client,
            session,
            limits,
            sink,
            state: Mutex::default(),
            watchers: WakerSet::default(),
        }
    }

    /// Registers a request that has arrived. Refuses one that no honest client sends.
    pub fn arrives(&self, request: &Request) -> Result<(), ChannelError> {
        let Ticket { lane, seq, .. } = request.ticket;
        if lane != 0 || seq >> 48 != 0 {
            return Err(ChannelError::Misbehaved("a ticket is out of range"));
        }
        if request.tag >> TAG_BITS != 0 {
            return Err(ChannelError::Misbehaved("a tag is out of range"));
        }
        if request.payload.len() > self.limits.max_message_size {
            return Err(ChannelError::Misbehaved("a request is over the limit"));
        }
        let mut state = lock(&self.state);
        if state.ended {
            return Err(GONE);
        }
        let in_flight = state.unanswered.len();
        match state.unanswered.entry(seq) {
            Entry::Occupied(_) => Err(ChannelError::Misbehaved("a ticket is in use already")),
            Entry::Vacant(_) if in_flight >= self.limits.lanes as usize => {
                Err(ChannelError::Misbehaved("there are more calls in flight than lanes"))
            }
            Entry::Vacant(entry) => {
                entry.insert(false);
                Ok(())
            }
        }
    }

    /// Marks a call as given up.
    pub fn cancel(&self, ticket: Ticket) {
        let mut state = lock(&self.state);
        let Some(given_up) = state.unanswered.get_mut(&ticket.seq) else { return };
        *given_up = true;
        drop(state);
        self.watchers.wake_if(|watched| *watched == ticket);
    }

    /// Ends the connection on this side. Returns whether it stood until now.
    pub fn gone(&self) -> bool {
        let was_there = !std::mem::replace(&mut lock(&self.state).ended, true);
        self.watchers.wake_all();
        was_there
    }
}

/// The error of an answer to a client that has gone.
const GONE: ChannelError = ChannelError::Disconnected(DisconnectReason::PeerDied);

impl Peer for RemoteClient {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        let (len, max) = (answer.body.len(), self.limits.max_message_size);
        if len > max {
            return Err(ChannelError::TooLarge { len, max });
        }
        let answer = Answer::new(answer.tag, receive(answer.body));
        let mut state = lock(&self.state);
        if state.ended {
            return Err(GONE);
        }
        if state.unanswered.remove(&ticket.seq).is_none() {
            return Err(ChannelError::Misbehaved("the call is over already"));
        }
        drop(state);
        self.sink.send(ticket, answer);
        Ok(())
    }

    fn is_connected(&self) -> bool {
        !lock(&self.state).ended
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        let state = lock(&self.state);
        state.ended || state.unanswered.get(&ticket.seq) == Some(&true)
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        let key = self.watchers.add(ticket, waker);
        if self.is_cancelled(ticket) {
            waker.wake_by_ref();
        }
        key
    }

    fn unwatch(&self, key: u64) {
        self.watchers.remove(key);
    }
}

impl Attached for RemoteClient {
    fn end(&self, end: End) {
        if self.gone() {
            self.sink.close(end);
        }
    }

    fn drain(&self) {
        self.sink.drain();
    }

    fn has_delivered(&self) -> bool {
        self.sink.has_delivered()
    }
}
