//! The two parties of a key exchange, as transports call them.

use witrpc_transport::{
    Begun, Clearance, Demands, Initiator, Keys, NoRandomBytes, Responder, Response,
};

use super::open::{self, OPEN};
use super::{Credentials, Guard};
#[cfg(feature = "security")]
use super::{HandshakeExchange, respond};

impl Initiator for Credentials {
    fn demands(&self) -> Demands {
        Demands::default().with_token(self.has_token()).with_encryption(self.encrypts())
    }

    #[cfg_attr(not(feature = "security"), allow(unused_variables, reason = "nothing binds it"))]
    fn begin(&self, prologue: &[u8]) -> Result<Begun, NoRandomBytes> {
        #[cfg(feature = "security")]
        if self.has_token() || self.encrypts() {
            let (exchange, message) = HandshakeExchange::begin(self, prologue)?;
            return Ok(Begun::new(message, move |reply| exchange.finish(reply).map(boxed)));
        }
        Ok(Begun::new(OPEN.to_vec(), |reply| open::finish(reply).map(boxed)))
    }
}

impl Responder for Guard {
    fn demands(&self) -> Demands {
        Demands::default().with_token(self.asks_for_token()).with_encryption(self.encrypts())
    }

    #[cfg_attr(not(feature = "security"), allow(unused_variables, reason = "nothing binds it"))]
    fn respond(&self, prologue: &[u8], message: &[u8]) -> Result<Option<Response>, NoRandomBytes> {
        #[cfg(feature = "security")]
        if !self.is_open() {
            let replied = respond(self, prologue, message)?;
            return Ok(replied
                .map(|(message, keys, clearance)| Response::new(message, boxed(keys), clearance)));
        }
        let keys = open::finish(message);
        Ok(keys.map(|keys| Response::new(OPEN.to_vec(), boxed(keys), Clearance::default())))
    }
}

fn boxed(keys: impl Keys + 'static) -> Box<dyn Keys> {
    Box::new(keys)
}
