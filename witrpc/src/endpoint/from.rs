//! Conversions into an endpoint.

use crate::transport::Endpoint;

use super::in_process::InProcess;
use super::mmf::Mmf;

impl From<&str> for Endpoint {
    fn from(name: &str) -> Self {
        Mmf::new(name).into()
    }
}

impl From<String> for Endpoint {
    fn from(name: String) -> Self {
        Mmf::new(name).into()
    }
}

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
