//! The session of a client with all of its parts, from its beginning to its end.

use std::sync::Arc;

use witrpc_transport::Session;

use crate::call::server::session::ClientSession;
use crate::codec::Codec;
use crate::event::server::client::ClientEvents;
use crate::observe::counters::CounterRegistry;
use crate::stream::server::{Remains, ServerStreams};

/// Returns what a transport keeps for a new client.
pub fn begin(codec: Codec, counter_registry: Arc<CounterRegistry>) -> Session {
    let (streams, events) = (ServerStreams::default(), ClientEvents::new(codec));
    ClientSession::begin(codec, counter_registry, vec![Box::new(streams), Box::new(events)])
}

/// Ends the streams and subscriptions of a client that has gone, and cancels its jobs. User code runs only
/// where the result is dropped.
pub fn leave(session: &Session) -> Remains {
    ClientSession::of(session).leave();
    let remains = ServerStreams::of(session).leave();
    ClientEvents::of(session).leave();
    remains
}
