//! Parts of the sentences that describe errors of calls.

use std::fmt;
use std::time::Duration;

use witrpc_transport::DisconnectReason;

/// An allowed time, for reading.
pub struct Time(pub Option<Duration>);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{time:?}"),
            None => f.write_str("the time allowed"),
        }
    }
}

/// The sentence for a connection without a free lane.
pub struct NoLane {
    pub lanes: u32,
    pub abandoned: u32,
}

impl fmt::Display for NoLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lanes, abandoned } = self;
        write!(
            f,
            "the lanes of the connection, {lanes} in all, stayed taken by calls in flight until this \
             call's time was over: "
        )?;
        if *abandoned > 0 {
            write!(
                f,
                "{abandoned} of these calls were given up and not answered yet, so have handlers end \
                 when their call is cancelled; or "
            )?;
        }
        f.write_str("raise lanes on the server's endpoint, or make fewer calls at once")
    }
}

/// Returns why a connection is closed, as part of a sentence.
pub fn reason(reason: DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::ClosedHere => "this side disconnected",
        DisconnectReason::ServerShutDown => "the server shut down",
        DisconnectReason::Dismissed => "the server disconnected this client",
        DisconnectReason::PeerDied => "the server process died",
        DisconnectReason::Unreachable => "the server cannot be reached any more",
        DisconnectReason::Misbehaved => "the server broke the protocol",
        DisconnectReason::ReconnectFailed => {
            "the server was lost, and the client could not reconnect"
        }
        DisconnectReason::KeysSpent => "it has carried as much as its keys may",
        DisconnectReason::Faulty => {
            "this library failed in this process, as its panic has reported"
        }
        DisconnectReason::Forked => {
            "this process is a fork of the one that connected, and connections stay with the parent"
        }
        // A reason of a later version of the seam.
        _ => "it has ended",
    }
}
