//! Conversions into an endpoint.

use crate::transport::Endpoint;

use super::in_process::InProcess;
#[cfg(feature = "mmf")]
use super::mmf::Mmf;
#[cfg(feature = "socket")]
use super::socket::Socket;

#[cfg(feature = "mmf")]
impl From<&str> for Endpoint {
    fn from(name: &str) -> Self {
        Mmf::new(name).into()
    }
}

#[cfg(feature = "mmf")]
impl From<String> for Endpoint {
    fn from(name: String) -> Self {
        Mmf::new(name).into()
    }
}

#[cfg(feature = "mmf")]
impl From<Mmf> for Endpoint {
    fn from(mmf: Mmf) -> Self {
        Self::new(mmf)
    }
}

impl From<InProcess> for Endpoint {
    fn from(place: InProcess) -> Self {
        Self::new(place)
    }
}

#[cfg(feature = "socket")]
impl From<Socket> for Endpoint {
    fn from(socket: Socket) -> Self {
        Self::new(socket)
    }
}
