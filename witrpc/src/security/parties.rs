//! The two parties of a key exchange, as transports ask for them.

use witrpc_transport::{Begun, Demands, Initiator, Keys, Responder, Response, TAG_LEN};

use super::{COUNTER_BITS, Credentials, Exchange, Guard, SessionKeys, respond};

const _: () = assert!(COUNTER_BITS == witrpc_transport::COUNTER_BITS);

impl Initiator for Credentials {
    fn demands(&self) -> Demands {
        Demands { token: self.has_token(), encryption: self.encrypts() }
    }

    fn begin(&self, prologue: &[u8]) -> Begun {
        let (exchange, message) = Exchange::begin(self, prologue);
        Begun { message, finish: Box::new(move |reply| exchange.finish(reply).map(boxed)) }
    }
}

impl Responder for Guard {
    fn demands(&self) -> Demands {
        Demands { token: self.asks_for_token(), encryption: self.encrypts() }
    }

    fn respond(&self, prologue: &[u8], message: &[u8]) -> Option<Response> {
        let (message, keys, clearance) = respond(self, prologue, message)?;
        Some(Response { message, keys: boxed(keys), clearance })
    }
}

impl Keys for SessionKeys {
    fn seal(&self, number: u64, piece: &mut [u8]) -> [u8; TAG_LEN] {
        self.seal(number, piece)
    }

    fn open(&self, number: u64, piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        self.open(number, piece, tag)
    }
}

fn boxed(keys: SessionKeys) -> Box<dyn Keys> {
    Box::new(keys)
}
