//! The two parties of a key exchange, as transports call them.

use witrpc_transport::{Begun, Demands, Initiator, Keys, NoRandomBytes, Responder, Response};

use super::{Credentials, Guard, HandshakeExchange, SessionKeys, respond};

impl Initiator for Credentials {
    fn demands(&self) -> Demands {
        Demands::default().with_token(self.has_token()).with_encryption(self.encrypts())
    }

    fn begin(&self, prologue: &[u8]) -> Result<Begun, NoRandomBytes> {
        let (exchange, message) = HandshakeExchange::begin(self, prologue)?;
        Ok(Begun::new(message, move |reply| exchange.finish(reply).map(boxed)))
    }
}

impl Responder for Guard {
    fn demands(&self) -> Demands {
        Demands::default().with_token(self.asks_for_token()).with_encryption(self.encrypts())
    }

    fn respond(&self, prologue: &[u8], message: &[u8]) -> Result<Option<Response>, NoRandomBytes> {
        let replied = respond(self, prologue, message)?;
        Ok(replied.map(|(message, keys, clearance)| Response::new(message, boxed(keys), clearance)))
    }
}

fn boxed(keys: SessionKeys) -> Box<dyn Keys> {
    Box::new(keys)
}
