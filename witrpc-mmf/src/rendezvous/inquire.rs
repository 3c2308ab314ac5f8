//! Asks a server for its report, without becoming its client.

use std::path::PathBuf;
use std::time::Duration;

use rustix::event::PollFlags;
use witrpc_rt::PeerCredentials;

use crate::error::ConnectError;
use crate::sys::fd_closer::Socket;

use super::Place;
use super::connect::{broken, flush, misbehaved};
use super::deadline::{ConnectLimit, Deadline};
use super::find::{FoundServer, find};
use super::frame::{Inbox, UnsentFrame};
use super::record::{Inquiry, PROTOCOL_VERSION, Told};
use crate::name::Name;

/// Returns what the server of a name reports of itself, and which process it is. Blocks for at most `timeout`.
///
/// # Errors
///
/// [`ConnectError`] says whether no server was found, the server does not report to this user, or it
/// did not answer.
pub fn inquire(name: &Name, place: &Place, timeout: Duration) -> Result<Inquired, ConnectError> {
    let limit = ConnectLimit::default();
    let deadline = Deadline::new(timeout, &limit);
    let FoundServer { link, credentials: PeerCredentials { pid, uid }, path } =
        find(name, place, &deadline)?;
    Ok(Inquired { report: ask(&link, &deadline)?, pid, uid, socket: path })
}

/// What is known of a server without being its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquired {
    /// The bytes of its [`Admission::report`](witrpc_transport::Admission::report).
    pub report: Vec<u8>,
    /// Its process, or 0 if this pid namespace does not show it.
    pub pid: u32,
    /// The user it runs as.
    pub uid: u32,
    /// The socket at which it listens.
    pub socket: PathBuf,
}

fn ask(link: &Socket, deadline: &Deadline<'_>) -> Result<Vec<u8>, ConnectError> {
    let (mut inbox, mut send_arena) = (Inbox::new(), UnsentFrame::default());
    send_arena.opening(&Inquiry { version: PROTOCOL_VERSION }.encode());
    flush(&mut send_arena, link, deadline)?;
    loop {
        let Some(told) = inbox.told(link).map_err(broken)? else {
            deadline.wait(link, PollFlags::IN)?;
            continue;
        };
        return match Told::decode(told) {
            Some(Told::Report(report)) => Ok(report.to_vec()),
            Some(Told::NotAllowed) => {
                Err(ConnectError::NotAllowed { uid: rustix::process::geteuid().as_raw() })
            }
            Some(Told::OtherVersion { theirs }) => {
                Err(ConnectError::OtherVersion { ours: PROTOCOL_VERSION, theirs })
            }
            None => Err(misbehaved("its answer to an inquiry is wrong")),
        };
    }
}
