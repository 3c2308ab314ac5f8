//! A client with a server of its own, in one process.

use super::connection::Client;
use crate::server::Service;
use crate::transport::in_process::InProcess;

/// `XClient::in_process`: a small server of its own, as long as the client's connection lives.
pub fn in_process<C: Client>(_service: impl Service) -> C {
    match super::connect_blocking(InProcess::new().into()) {
        Ok(client) => client,
        Err(error) => panic!("{error}"),
    }
}
