//! The key exchange of this crate, as the channel asks for it.

use std::sync::Arc;

use witrpc_mmf::{Begun, Demands, Initiator, Keys, Responder, Response, TAG_LEN};

use crate::security::{COUNTER_BITS, Credentials, Exchange, Guard, SessionKeys, respond};

const _: () = assert!(COUNTER_BITS == witrpc_mmf::COUNTER_BITS);

/// What a client brings.
pub(super) struct Bringing(pub(super) Credentials);

impl Initiator for Bringing {
    fn demands(&self) -> Demands {
        Demands { token: self.0.has_token(), encryption: self.0.encrypts() }
    }

    fn begin(&self, prologue: &[u8]) -> Begun {
        let (exchange, message) = Exchange::begin(&self.0, prologue);
        Begun { message, finish: Box::new(move |reply| exchange.finish(reply).map(boxed)) }
    }
}

/// What a server asks for.
pub(super) struct Asking(pub(super) Arc<Guard>);

impl Responder for Asking {
    fn demands(&self) -> Demands {
        Demands { token: self.0.asks_for_token(), encryption: self.0.encrypts() }
    }

    fn respond(&self, prologue: &[u8], message: &[u8]) -> Option<Response> {
        let (message, keys, clearance) = respond(&self.0, prologue, message)?;
        Some(Response { message, keys: boxed(keys), clearance: Arc::new(clearance) })
    }
}

impl Keys for SessionKeys {
    fn seal(&self, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN] {
        SessionKeys::seal(self, number, piece)
    }

    fn open(&self, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        SessionKeys::open(self, number, piece, tag)
    }
}

fn boxed(keys: SessionKeys) -> Box<dyn Keys> {
    Box::new(keys)
}
