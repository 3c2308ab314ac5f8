//! Who calls.

use crate::transport::{Peer, Ticket};

/// Who calls: what a method gets for an argument marked `#[wit(ctx)]`.
///
/// Process and user are the kernel's word, not the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallContext {
    client_id: u64,
    pid: u32,
    uid: u32,
    call_id: u64,
}

impl CallContext {
    pub(super) fn new(peer: &dyn Peer, ticket: Ticket) -> Self {
        let client = peer.client();
        Self {
            client_id: client.id,
            pid: client.pid,
            uid: client.uid,
            // A lane has less than 2^16 neighbours and is used less than 2^48 times.
            call_id: ticket.seq << 16 | u64::from(ticket.lane) & 0xffff,
        }
    }

    /// The client's number: counts the clients of this server from 1.
    pub fn client_id(&self) -> u64 {
        self.client_id
    }

    /// The client's process, as this process's pid namespace numbers it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The user that the client runs as.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// A number that no other call of this client has.
    pub fn call_id(&self) -> u64 {
        self.call_id
    }
}
