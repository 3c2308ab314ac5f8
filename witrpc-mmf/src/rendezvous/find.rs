//! Finds the server of a name in the directories of a place.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use witrpc_rt::PeerCredentials;

use crate::error::{ConnectError, DirectoryError, LookedIn};
use crate::sys::fd_closer::Socket;

use super::Place;
use super::claim::{is_socket, open_socket};
use super::deadline::Deadline;
use super::directory::{Directory, describe};
use crate::name::Name;

/// The pause before the next try, where no event says when there is room.
const PAUSE: Duration = Duration::from_millis(1);

/// A server that listens, before anything is said.
pub struct FoundServer {
    pub link: Socket,
    pub credentials: PeerCredentials,
    /// Its socket.
    pub path: PathBuf,
}

/// Connects to the socket of a name, in the first directory in which a server listens. A faulty
/// directory does not hide a server in another.
pub fn find(
    name: &Name,
    place: &Place,
    deadline: &Deadline<'_>,
) -> Result<FoundServer, ConnectError> {
    let found = place.open_to_look()?;
    let mut nothing_at = Vec::new();
    let mut wrong = None;
    for directory in &found.directories {
        match reach(directory, name, deadline) {
            Ok(Some(link)) => {
                let credentials = identify(&link, directory, name)?;
                let path = directory.path_of(name.as_str());
                return Ok(FoundServer { link, credentials, path });
            }
            Ok(None) => nothing_at.push(directory.path_of(name.as_str())),
            Err(error @ (ConnectError::NotAServer { .. } | ConnectError::Directory(_))) => {
                wrong = wrong.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = wrong {
        return Err(error);
    }
    nothing_at.extend(found.missing.iter().map(|directory| directory.join(name.as_str())));
    let mut places: Vec<_> = found.passed_over.into_iter().map(LookedIn::PassedOver).collect();
    places.splice(..0, nothing_at.into_iter().map(|path| LookedIn::Nothing { path }));
    let name = name.as_str().into();
    Err(ConnectError::NobodyServes { name, waited: Duration::ZERO, places })
}

/// Connects to the socket of a name in one directory; returns `None` if no server listens there.
fn reach(
    directory: &Directory,
    name: &Name,
    deadline: &Deadline<'_>,
) -> Result<Option<Socket>, ConnectError> {
    let name = name.as_str();
    let path = || directory.path_of(name);
    let failed = |doing| move |error| DirectoryError::system(doing, path(), error);
    let not_a_server = |found| ConnectError::NotAServer { path: path(), found };
    let Some(stat) = directory.find(name).map_err(failed("look at"))? else { return Ok(None) };
    if !is_socket(&stat) {
        return Err(not_a_server(describe(&stat)));
    }
    if stat.st_uid != directory.owner() {
        return Err(not_a_server("another user's socket"));
    }
    let socket = open_socket().map_err(|error| ConnectError::system("open a socket", error))?;
    let address = directory.address_of(name).map_err(failed("form the address of"))?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::CONNREFUSED | Errno::NOENT) => return Ok(None),
            Err(Errno::INTR) => {}
            // The queue is full, and no event says when it has room again.
            Err(Errno::AGAIN) => thread::sleep(deadline.check()?.min(PAUSE)),
            Err(Errno::PROTOTYPE) => return Err(not_a_server("a socket of another type")),
            Err(error) => return Err(failed("connect to")(error.into()).into()),
        }
    }
    Ok(Some(Socket::new(socket)))
}

/// Checks that the process that listens runs as the user that owns the directory.
fn identify(
    link: &Socket,
    directory: &Directory,
    name: &Name,
) -> Result<PeerCredentials, ConnectError> {
    let failed = |error| ConnectError::system("ask the system which user runs the server", error);
    let server = PeerCredentials::of(link).map_err(failed)?;
    let expected = directory.owner();
    if server.uid != expected {
        let (path, found) = (directory.path_of(name.as_str()), server.uid);
        return Err(ConnectError::OtherUser { path, expected, found });
    }
    Ok(server)
}
