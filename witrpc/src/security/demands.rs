//! The comparison of what server and client require of each other.

use witrpc_transport::Demands;

use crate::error::ConnectError;

/// Checks that server and client require the same.
pub fn compare(server: Demands, client: Demands) -> Result<(), ConnectError> {
    match (server.token, client.token) {
        (true, false) => return Err(ConnectError::TokenRequired),
        (false, true) => return Err(ConnectError::TokenUnexpected),
        _ => {}
    }
    match (server.encryption, client.encryption) {
        (true, false) => Err(ConnectError::EncryptionRequired),
        (false, true) => Err(ConnectError::EncryptionUnavailable),
        _ => Ok(()),
    }
}
