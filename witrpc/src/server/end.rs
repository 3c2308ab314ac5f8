//! The end of a server, from any cause.

use std::sync::Arc;

use witrpc_transport::Shutdown;

use crate::pool::Pool;
use crate::pool::stop_reason::StopReason;

use super::admission::ServerAdmission;
use super::client_parts;

/// Ends the server and all that waits on it, without waiting for user code. Idempotent.
pub fn end(pool: &Arc<Pool>, door: &ServerAdmission, how: Shutdown, why: StopReason) {
    if !pool.begin_stop() {
        return;
    }
    // The thread that takes a session out reports its end: from here on that is this thread.
    let sessions = door.sessions().end();
    pool.close(how);
    // Only after that, so that no client takes the end of the server for the end of a stream.
    let left = |(client, session)| (client, client_parts::leave(&session));
    door.farewell().end(pool, sessions.into_iter().map(left).collect());
    pool.stopped(how, why);
}
